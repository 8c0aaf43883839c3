"""`erase` as an operator runs it: with Kafka, marts, and the proof."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexing.topics import PARTITIONS
from lake.command_line import main
from lake.erasure.name import Name
from lake.erasure.proof import hits
from lake.marts.tables import SEARCHES
from lake.tables import EVENTS
from tests.support.command_line import run_here
from tests.support.lake import rows
from tests.support.lake_trail import LakeTrail, StartLake
from tests.support.query_event import event, read_event

NAME = "user7"
REASON = "request 2026-017"


def run(trail: LakeTrail, *arguments: str) -> tuple[int, str, str]:
    """Run a command of the lake: its status, and what it writes on both streams."""
    done = run_here(main, *arguments, variables=trail.environment)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture(name="written")
def _written(trail: LakeTrail, start: StartLake) -> LakeTrail:
    """A lake with a hundred events of twenty users, and its marts; its writer has been stopped."""
    writer = start()
    trail.produce(event(number) for number in range(100))
    trail.wait_until_written()
    assert writer.stop() == 0
    day = datetime.now(UTC).date()
    assert run(trail, "marts", "--from", f"{day}", "--to", f"{day}")[0] == 0
    return trail


def test_a_person_is_counted_and_then_erased_with_proof(written: LakeTrail) -> None:
    status, counted, _ = run(written, "erase", "--user", NAME)
    assert status == 0
    assert counted.endswith("found 5 records, and the name in 0 of others; --delete REASON deletes them\n")

    status, said, problems = run(written, "erase", "--user", NAME, "--delete", REASON)

    assert (status, problems) == (0, "")
    assert said == "erased 5 records, and the name in 0 of others\nhits 0\n"
    assert NAME not in rows(written.lake)["user_id"].to_pylist()
    assert rows(written.lake).num_rows == 95
    searches = written.lake.open(SEARCHES).to_pyarrow_table()
    assert sum(searches["searches"].to_pylist()) == 95


def test_the_trail_says_that_somebody_was_erased_and_not_who(written: LakeTrail) -> None:
    run(written, "erase", "--user", NAME, "--delete", REASON)

    values = [record.value() for number in range(PARTITIONS) for record in written.records(written.topic, number)]
    [changed] = [each for each in map(read_event, values) if each["event_type"] == "admin.changed"]
    assert changed["metadata"]["service"] == "lake"
    assert changed["data"]["query"].startswith(
        f"erase 5 records of the lake by user_key, and the name in 0 of others: {REASON} (account "
    )


def test_nothing_is_erased_while_somebody_writes(trail: LakeTrail, start: StartLake) -> None:
    start().wait_until_ready()
    trail.produce(event(number) for number in range(20))
    trail.wait_until_written()
    version = trail.lake.open(EVENTS).version()

    status, said, problems = run(trail, "erase", "--user", NAME, "--delete", REASON)

    assert (status, said) == (1, "")
    assert problems.startswith(f"lake: nothing was changed: the group {trail.name} has 1 members; stop every `serve`, ")
    assert problems.count("\n") == 1
    assert trail.lake.open(EVENTS).version() == version


def test_nothing_is_erased_if_kafka_does_not_answer(written: LakeTrail) -> None:
    away = run_here(
        main,
        *("erase", "--user", NAME, "--delete", REASON),
        variables=written.environment | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"},
    )
    assert away.returncode == 1
    assert away.stderr.startswith(b"lake: Kafka: ") and away.stderr.count(b"\n") == 1
    assert NAME in rows(written.lake)["user_id"].to_pylist()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--user", NAME, "--delete", "asked by User7"), "argument --delete: must not name the person"),
        (("--again", "--delete", REASON), "--again has its reasons from the erasures"),
        (("--user", ""), "argument --user: must be a user's name, in UTF-8"),
        ((), "one of the arguments --user --again is required"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments: tuple[str, ...], complaint: str) -> None:
    done = run_here(main, "erase", *arguments)
    assert done.returncode == 2
    assert done.stderr.decode().endswith(f"python -m lake erase: error: {complaint}\n")


def test_after_the_restore_of_a_backup_erasures_are_done_again(written: LakeTrail, tmp_path: Path) -> None:
    folder, backup = Path(written.lake.settings.url), tmp_path / "backup"
    shutil.copytree(folder, backup)
    assert run(written, "erase", "--user", NAME, "--delete", REASON)[0] == 0
    assert run(written, "erase", "--again")[1] == "did 0 erasures again, of 0 records\n"
    shutil.rmtree(folder / "events")
    shutil.copytree(backup / "events", folder / "events")
    assert NAME in rows(written.lake)["user_id"].to_pylist()

    assert run(written, "erase", "--again") == (0, "did 1 erasures again, of 5 records\n", "")

    assert NAME not in rows(written.lake)["user_id"].to_pylist()
    assert not list(hits(written.lake, Name(NAME)))
    assert run(written, "erase", "--again")[1] == "did 0 erasures again, of 0 records\n"
