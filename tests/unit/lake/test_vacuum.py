"""Vacuum: files that are no part of a table go, once nobody can need them."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lake.command_line import main
from lake.compaction import compact
from lake.rewriting import Rewriting
from lake.tables import EVENTS, Lake
from lake.vacuum import vacuum_now
from tests.support.command_line import run_here
from tests.support.lake import lake_in, write_events
from tests.support.query_event import event

HOUR = datetime(2026, 11, 27, 9, tzinfo=UTC)
EIGHT_DAYS = 8 * 24 * 3600


def compacted(folder: Path) -> Lake:
    """A lake whose files have just left their table."""
    lake = lake_in(folder)
    for _ in range(2):
        write_events(lake, [event(number, HOUR) for number in range(10)], kafka_time=HOUR)
    assert list(compact(lake, timedelta(), HOUR + timedelta(hours=1)))
    return lake


def files(lake: Lake) -> set[str]:
    """The data files of events that there are, live or not."""
    return {str(path) for path in Path(lake.url(EVENTS)).rglob("*.parquet*") if "_delta_log" not in path.parts}


def run(lake: Lake, **variables: str) -> tuple[int, str]:
    """Run the command; its status, and what it says."""
    done = run_here(main, "vacuum", variables={"LAKE_URL": lake.settings.url} | variables)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_a_reader_of_an_older_version_still_reads(tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    write_events(lake, [event(number, HOUR) for number in range(10)], kafka_time=HOUR)
    reader = lake.open(EVENTS)
    list(compact(lake, timedelta(), HOUR + timedelta(hours=1)))

    assert run(lake)[0] == 0
    assert reader.to_pyarrow_table().num_rows == 10


def test_old_files_of_commits_that_were_never_made_go(tmp_path: Path) -> None:
    lake = compacted(tmp_path)
    old = time.time() - EIGHT_DAYS
    folder = Path(lake.open(EVENTS).file_uris()[0]).parent
    for name in ("rewritten-1.parquet", "part-1.parquet#1"):
        (folder / name).write_bytes(b"half a file")
        os.utime(folder / name, (old, old))
    (folder / "rewritten-2.parquet").write_bytes(b"a writer is at work")

    status, said = run(lake)

    assert (status, said.splitlines()[-1]) == (0, "deleted 2 files")
    assert {Path(file).name for file in files(lake)} >= {"rewritten-2.parquet"}


def test_a_retention_that_readers_and_writers_may_need_is_refused(tmp_path: Path) -> None:
    status, said = run(lake_in(tmp_path), LAKE_VACUUM_HOURS="23")
    assert status == 2
    assert said == "lake: LAKE_VACUUM_HOURS: Input should be greater than or equal to 24\n"


def test_without_retention_all_goes_that_is_no_part_of_the_table_but_files_of_a_new_writer(tmp_path: Path) -> None:
    lake = compacted(tmp_path)
    began = datetime.now(UTC)
    with Rewriting(lake, EVENTS) as rewriting:
        for partition, live in rewriting.files.items():
            with rewriting.rows(live) as rows:
                rewriting.replace(partition, live, rows, "SELECT * FROM rows")
        assert vacuum_now(lake, EVENTS, began) == 2
        rewriting.commit()

    assert lake.open(EVENTS).to_pyarrow_table().num_rows == 20
    assert len(files(lake)) == 2
    assert vacuum_now(lake, EVENTS, datetime.now(UTC)) == 1
    assert files(lake) == set(lake.open(EVENTS).file_uris())
