"""Compaction: an hour becomes one sorted file, and no offset leaves the account."""

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from pyarrow import parquet

from lake import compaction
from lake.account import account
from lake.command_line import main
from lake.compaction import Compacted, compact
from lake.errors import LakeError
from lake.rewriting import Rewriting
from lake.tables import EVENTS, REJECTED, Lake
from tests.support.command_line import run_here
from tests.support.full_disk import no_file_beyond
from tests.support.lake import lake_in, rows, write_events
from tests.support.query_event import event

HOUR = datetime(2026, 11, 27, 9, tzinfo=UTC)
ARRIVED = HOUR + timedelta(minutes=30)
CLOSED = HOUR + timedelta(hours=1)
PERSONAL = {"user_id", "query", "client_ip", "user_agent", "dsl", "error_message", "target_ids.list.element"}


@pytest.fixture(name="lake")
def _lake(tmp_path: Path) -> Lake:
    return lake_in(tmp_path)


def write(lake: Lake, *numbers: int) -> None:
    """Write events of the hour in a commit; the same number is the same event."""
    write_events(lake, [EVENTS_OF_THE_HOUR[number] for number in numbers], kafka_time=ARRIVED)


def compact_now(lake: Lake) -> list[Compacted]:
    """Compact what is closed right after the hour."""
    return list(compact(lake, timedelta(), CLOSED))


def assert_account_closes(lake: Lake) -> None:
    """Each offset is in exactly one place."""
    assert all(each.closes for each in account(lake, is_thorough=True))


def rewrite(rewriting: Rewriting) -> None:
    """Write every file again as it is."""
    for partition, files in rewriting.files.items():
        with rewriting.rows(files) as old:
            rewriting.replace(partition, files, old, "SELECT * FROM rows")


EVENTS_OF_THE_HOUR = [event(number, HOUR + timedelta(seconds=number)) for number in range(100)]


def test_a_closed_hour_becomes_one_file_with_the_same_rows(lake: Lake) -> None:
    for begin in range(0, 60, 20):
        write(lake, *range(begin, begin + 20))
    before = rows(lake).drop_columns(["copies"])

    [hour] = compact_now(lake)

    assert (hour.name, hour.rows_before, hour.rows) == ("2026-11-27T09", 60, 60)
    assert hour.bytes < hour.bytes_before
    assert len(lake.open(EVENTS).file_uris()) == 1
    assert rows(lake).drop_columns(["copies"]).equals(before)
    assert_account_closes(lake)


def test_an_event_that_is_there_several_times_is_kept_once_with_the_places_of_the_others(lake: Lake) -> None:
    write(lake, 1, 2, 1)
    write(lake, 1, 3)

    compact_now(lake)

    kept = {row["offset"]: row["copies"] for row in rows(lake).to_pylist()}
    assert {offset: sorted(copy["offset"] for copy in copies or []) for offset, copies in kept.items()} == {
        0: [2, 3],
        1: [],
        4: [],
    }
    assert_account_closes(lake)


def test_a_late_event_opens_its_hour_again_and_copies_are_merged(lake: Lake) -> None:
    write(lake, 1, 1)
    compact_now(lake)
    assert not compact_now(lake), "a compacted hour is left alone"
    write(lake, 2, 1)

    [hour] = compact_now(lake)

    assert hour.rows == 2
    assert len(lake.open(EVENTS).file_uris()) == 1
    assert_account_closes(lake)


def test_an_hour_that_is_not_closed_stays_as_it_is(lake: Lake) -> None:
    write(lake, 1)
    assert not list(compact(lake, timedelta(hours=2), CLOSED + timedelta(hours=2) - timedelta(seconds=1)))
    assert list(compact(lake, timedelta(hours=2), CLOSED + timedelta(hours=2)))


@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_file_has_no_statistics_of_personal_columns(lake: Lake, is_compacted: bool) -> None:
    write(lake, *range(20))
    if is_compacted:
        compact_now(lake)

    [file] = lake.open(EVENTS).file_uris()
    group = parquet.read_metadata(file).row_group(0)
    columns = {group.column(number).path_in_schema: group.column(number) for number in range(group.num_columns)}
    assert PERSONAL <= columns.keys()
    counted = {"time", "partition", "offset", "kafka_time"}
    assert {name for name, column in columns.items() if column.is_stats_set} == counted
    [logged] = pa.table(lake.open(EVENTS).get_add_actions(flatten=True)).to_pylist()
    assert logged["num_records"] == 20
    assert {name for name in logged if name.startswith("min.")} == {f"min.{name}" for name in counted}
    assert (logged["min.offset"], logged["max.offset"]) == (0, 19)


def test_a_compaction_that_would_change_a_count_writes_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    write(lake, 1, 2)
    write(lake, 2, 3)
    version, before = lake.open(EVENTS).version(), rows(lake)
    plan = compaction._PLANS[EVENTS]  # pylint: disable=protected-access
    wrong = replace(plan, query='SELECT * FROM rows WHERE "offset" <> 1')
    monkeypatch.setitem(compaction._PLANS, EVENTS, wrong)  # pylint: disable=protected-access

    with pytest.raises(LakeError, match=r"^2026-11-27T09: its new file would have 3 rows for 3 offsets, and must"):
        compact_now(lake)

    assert lake.open(EVENTS).version() == version
    assert rows(lake).equals(before)
    assert not list(Path(lake.settings.url).rglob("compacted-*")), "the file is deleted"


def test_rows_that_are_appended_meanwhile_stay(lake: Lake) -> None:
    write(lake, 1, 2)
    with Rewriting(lake, EVENTS) as rewriting:
        rewrite(rewriting)
        write(lake, 3)
        rewriting.commit()

    assert [row["offset"] for row in rows(lake).to_pylist()] == [0, 1, 2]
    assert len(lake.open(EVENTS).file_uris()) == 2


def test_of_two_compactions_at_once_one_is_refused(lake: Lake) -> None:
    write(lake, 1, 2)
    with Rewriting(lake, EVENTS) as rewriting:
        rewrite(rewriting)
        compact_now(lake)
        with pytest.raises(LakeError, match=r"^events: another command has rewritten it meanwhile"):
            rewriting.commit()

    assert len(rows(lake)) == 2
    assert len(list(Path(lake.settings.url).rglob("compacted-*.parquet"))) == 1


@pytest.mark.parametrize("error", [CommitFailedError("the second try meets the first"), OSError("the answer is lost")])
def test_an_error_that_comes_once_the_commit_is_made_loses_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    write(lake, 1, 2)
    write(lake, 2, 3)
    commit = DeltaTable.create_write_transaction

    def commit_and_fail(*arguments: Any, **options: Any) -> None:
        commit(*arguments, **options)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(DeltaTable, "create_write_transaction", commit_and_fail)
        with suppress(OSError):
            compact_now(lake)

    assert [row["offset"] for row in rows(lake).to_pylist()] == [0, 1, 3]
    assert_account_closes(lake)


def test_compaction_beside_a_writer_loses_and_doubles_nothing(lake: Lake) -> None:
    ended = threading.Event()

    def append() -> None:
        for number in range(25):
            write(lake, number, number, (number * 7) % 100)
        ended.set()

    writer = threading.Thread(target=append)
    write(lake, 99)
    writer.start()
    while not ended.is_set():
        compact_now(lake)
    writer.join()
    compact_now(lake)

    assert len(lake.open(EVENTS).file_uris()) == 1
    assert_account_closes(lake)


def test_a_day_of_rejected_records_becomes_one_file(lake: Lake) -> None:
    for number in range(3):
        write_events(lake, [b"no event", b"of %d" % number], kafka_time=ARRIVED)
    before = rows(lake, REJECTED)

    assert not compact_now(lake), "the day is not closed"
    [day] = compact(lake, timedelta(hours=2), HOUR + timedelta(hours=17))

    assert (day.table, day.name, day.rows_before, day.rows) == ("rejected", "2026-11-27", 6, 6)
    assert len(lake.open(REJECTED).file_uris()) == 1
    assert rows(lake, REJECTED).equals(before)
    assert_account_closes(lake)


def test_a_full_disk_is_one_line_and_changes_nothing(lake: Lake) -> None:
    write(lake, *range(100))
    write(lake, *range(100))
    version = lake.open(EVENTS).version()

    with no_file_beyond(4_096):
        done = run_here(main, "compact", variables={"LAKE_URL": lake.settings.url})

    assert done.returncode == 1
    assert done.stderr.startswith(b"lake: ") and b"File too large" in done.stderr and done.stderr.count(b"\n") == 1
    assert lake.open(EVENTS).version() == version
    assert run_here(main, "compact", variables={"LAKE_URL": lake.settings.url}).returncode == 0
    assert_account_closes(lake)
