"""Erasure of one person: rows, names in texts of others, and the account."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from contracts.query_event.event import AuditEvent
from lake.account import account
from lake.compaction import compact
from lake.erasure.account import erasures, unfinished
from lake.erasure.erase import Found, erase, find
from lake.erasure.name import Name
from lake.erasure.person import Person
from lake.erasure.proof import hits
from lake.rewriting import Rewriting
from lake.tables import ERASURES, EVENTS, REJECTED, Lake
from lake.user_key import UserKeys
from lake.vacuum import vacuum_now
from tests.support.lake import lake_in, rows, settings_in, write_events
from tests.support.query_event import event

HOUR = datetime(2026, 11, 27, 9, tzinfo=UTC)
NAME = "jane.doe"
REASON = "request 2026-017"


def by(user: str, number: int = 0, query: str | None = None, hours: int = 0) -> AuditEvent:
    """An event of a user's."""
    made = event(number, HOUR + timedelta(hours=hours), query)
    made.user_id = user
    return made


@pytest.fixture(name="lake")
def _lake(tmp_path: Path) -> Lake:
    """Two hours with what Jane did, what others did, what names her, and what only looks like it."""
    lake = lake_in(tmp_path)
    twice = by(NAME, 1)
    write_events(lake, [by("john", 0), twice, twice, by(NAME, 2)], kafka_time=HOUR)
    list(compact(lake, timedelta(), HOUR + timedelta(hours=1)))
    write_events(
        lake,
        [
            by("mary.jane.doe", 3, "Owner = planning"),
            by("john", 4, 'Owner in ("Jane.Doe", jane.doe,jane.doe@example.com)', 1),
            b'{"user_id":"jane.doe", "half',
            b"something else",
            by(NAME, 5, hours=1),
        ],
        kafka_time=HOUR,
    )
    return lake


@pytest.fixture(name="person")
def _person(tmp_path: Path) -> Person:
    return Person(UserKeys(settings_in(tmp_path)).of(NAME), Name(NAME))


def erase_now(lake: Lake, person: Person) -> Found:
    """Erase, and delete what is no part of the tables any more."""
    found = erase(lake, person, REASON, "operator@host", lambda change: None)
    for spec in (EVENTS, REJECTED, ERASURES):
        vacuum_now(lake, spec, datetime.now(UTC))
    return found


def assert_account_closes(lake: Lake) -> None:
    """Each offset is in exactly one place."""
    assert all(each.closes for each in account(lake, is_thorough=True))


def total(lake: Lake) -> int:
    """How many records all erasures took, as their account says."""
    return sum((each.events + each.copies + each.rejected).total() for each in erasures(lake))


def proof(lake: Lake) -> dict[str, int]:
    """The files with the name."""
    return dict(hits(lake, Name(NAME)))


def test_what_would_be_erased_is_counted_by_table_and_day(lake: Lake, person: Person) -> None:
    before = lake.open(EVENTS).version()
    found = find(lake, person)
    day = date(2026, 11, 27)
    assert found.taken == {("events", day): 4, ("rejected", day): 1}
    assert found.mentions == {day: 1}
    assert (lake.open(EVENTS).version(), erasures(lake)) == (before, [])
    assert not list(Path(lake.settings.url).rglob("rewritten-*"))


def test_an_erasure_takes_the_person_and_no_one_else(lake: Lake, person: Person) -> None:
    assert proof(lake)

    erase_now(lake, person)

    assert rows(lake)["user_id"].to_pylist() == ["john", "mary.jane.doe", "john"]
    assert rows(lake, REJECTED)["value"].to_pylist() == [b"something else"]
    assert total(lake) == 5
    assert_account_closes(lake)
    assert not proof(lake)


def test_a_text_of_somebody_else_loses_only_the_name(lake: Lake, person: Person) -> None:
    erase_now(lake, person)

    kept = {row["user_id"] + str(row["hour"]): row for row in rows(lake).to_pylist()}
    assert kept["john10"]["query"] == 'Owner in ("[erased]", [erased],[erased]@example.com)'
    assert json.loads(kept["john10"]["dsl"])["term"]["Hostname"]["value"] == kept["john10"]["query"]
    assert kept["mary.jane.doe9"]["query"] == "Owner = planning"


def test_the_account_has_no_name_and_the_log_no_predicate_with_it(lake: Lake, person: Person) -> None:
    erase_now(lake, person)

    [row] = rows_of_erasures(lake)
    assert (row["user_key"], row["reason"], row["erased_by"]) == (person.key, REASON, "operator@host")
    assert row["days"] == [date(2026, 11, 27)]
    assert [(each["events"], each["copies"], each["rejected"]) for each in row["records"]] == [(3, 1, 1)]


def rows_of_erasures(lake: Lake) -> list[dict[str, Any]]:
    """The table's rows."""
    return list(lake.open(ERASURES).to_pyarrow_table().to_pylist())


def test_a_second_erasure_finds_nothing_and_writes_nothing(lake: Lake, person: Person) -> None:
    erase_now(lake, person)
    version = lake.open(EVENTS).version()

    assert not erase_now(lake, person)
    assert lake.open(EVENTS).version() == version
    assert len(erasures(lake)) == 1


def test_nothing_is_changed_without_an_event_on_the_trail(lake: Lake, person: Person) -> None:
    def refuse(change: str) -> None:
        assert NAME not in change
        raise OSError("Kafka is away")

    version = lake.open(EVENTS).version()
    with pytest.raises(OSError, match="Kafka is away"):
        erase(lake, person, REASON, "operator@host", refuse)
    assert (lake.open(EVENTS).version(), erasures(lake)) == (version, [])
    assert not list(Path(lake.settings.url).rglob("rewritten-*"))


@pytest.mark.parametrize("commits", [0, 1, 2])
def test_an_erasure_that_ends_between_its_commits_is_finished_by_the_next(
    lake: Lake, person: Person, commits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_after(left: Iterator[int]) -> None:
        commit = Rewriting.commit

        def end(rewriting: Rewriting, *transactions: object) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            commit(rewriting, *transactions)  # type: ignore[arg-type]

        monkeypatch.setattr(Rewriting, "commit", end)

    with monkeypatch.context():
        stop_after(iter(range(commits)))
        try:
            erase_now(lake, person)
        except KeyboardInterrupt:
            pass
        monkeypatch.undo()
    write_events(lake, [by(NAME, 9), by("john", 9)], kafka_time=HOUR)

    erase_now(lake, person)

    assert not unfinished(lake, erasures(lake))
    assert rows(lake)["user_id"].to_pylist() == ["john", "mary.jane.doe", "john", "john"]
    assert_account_closes(lake)
    assert total(lake) == 6
    assert not proof(lake)


@pytest.mark.parametrize(
    "path", ["events/_delta_log/notes.txt", "events/day=2026-11-27/hour=9/part-x.parquet", "events/_delta_log/jane.doe"]
)
def test_the_proof_finds_a_name_in_any_file(lake: Lake, person: Person, path: str) -> None:
    erase_now(lake, person)
    file = Path(lake.settings.url) / path
    file.write_bytes(b"half a file of jane.doe" if file.name != NAME else b"")
    assert proof(lake) == {path: 1}


def test_names_of_others_that_only_look_like_it_are_no_hit(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    for user in ("mary.jane.doe", "jane.doe2", "jane.doe@example.com"):
        write_events(lake, [by(user, query="Owner = mjane.doe")], kafka_time=HOUR)
    assert not proof(lake)


def test_the_proof_decodes_files_that_are_no_part_of_a_table(lake: Lake, person: Person) -> None:
    erase_now(lake, person)
    table = pa.table(
        {"user_id": ["john", NAME], "deep": [[{"text": f"by {NAME}"}], None], "bytes": [b"a\xff jane.doe", b""]}
    )
    parquet.write_table(table, Path(lake.settings.url) / "stray.parquet", compression="zstd", write_statistics=False)
    parquet.write_table(
        table.select(["user_id"]).slice(1), Path(lake.settings.url) / "statistics.parquet", compression="zstd"
    )
    assert proof(lake) == {"stray.parquet": 3, "statistics.parquet": 2}


def test_after_a_restore_erasures_are_done_again_by_the_key_alone(lake: Lake, person: Person) -> None:
    older = lake.open(EVENTS)
    rejected = lake.open(REJECTED).version()
    version = older.version()
    erase(lake, person, REASON, "operator@host", lambda change: None)
    # As in a copy of the folder from before, with the newest `erasures` beside it.
    for spec, old in ((EVENTS, version), (REJECTED, rejected)):
        log = Path(lake.url(spec)) / "_delta_log"
        for file in log.glob("*.json"):
            if int(file.stem) > old:
                file.unlink()
    assert NAME in rows(lake)["user_id"].to_pylist()

    erase(lake, Person(person.key, None), REASON, "operator@host", lambda change: None)

    assert rows(lake)["user_id"].to_pylist() == ["john", "mary.jane.doe", "john"]
    assert_account_closes(lake)
    assert total(lake) == 4
    erase_now(lake, person)
    assert_account_closes(lake)
    assert total(lake) == 5
    assert not proof(lake)
