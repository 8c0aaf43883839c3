"""Kills (SIGKILL) of a compaction and of an erasure at random moments."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from lake.account import account
from lake.erasure.account import erasures, unfinished
from lake.erasure.name import Name
from lake.erasure.proof import hits
from lake.tables import ERASURES, EVENTS, REJECTED, Lake
from lake.vacuum import vacuum_now
from tests.support.lake import lake_in, rows, write_events
from tests.support.lake_victim import VICTIM, do
from tests.support.paths import ROOT
from tests.support.query_event import event

HOUR = datetime(2026, 11, 20, 9, tzinfo=UTC)
KILLS = 5


def fill(lake: Lake) -> set[str]:
    """Write three hours of two commits each, with copies and garbage; the ids of what others than the victim did."""
    dice, ids = Random(1), set()
    for hour in range(3):
        events = [event(number, HOUR + timedelta(hours=hour, seconds=number)) for number in range(40)]
        for each in events[::4]:
            each.user_id = VICTIM
        ids |= {each.event_id for each in events if each.user_id != VICTIM}
        for part in (events[:25], events[20:]):
            copies = dice.choices(part, k=5)
            write_events(lake, [*part, *copies, b"of jane.doe"], kafka_time=HOUR + timedelta(hours=hour))
    return ids


@pytest.mark.parametrize("work", ["compact", "erase"])
def test_whenever_it_is_killed_the_next_run_ends_it_and_the_account_closes(tmp_path: Path, work: str) -> None:
    lake, dice = lake_in(tmp_path), Random(work)
    others = fill(lake)
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-m", "tests.support.lake_victim", work, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
        ) as victim:
            assert victim.stdout is not None and victim.stdout.readline() == b"begins\n"
            time.sleep(dice.uniform(0.0, 0.8))
            victim.kill()

    do(work, tmp_path)

    assert all(each.closes for each in account(lake, is_thorough=True))
    assert set(rows(lake)["event_id"].to_pylist()) >= others
    if work == "compact":
        assert len(lake.open(EVENTS).file_uris()) == 3
    else:
        assert not unfinished(lake, erasures(lake))
        for spec in (EVENTS, REJECTED, ERASURES):
            vacuum_now(lake, spec, datetime.now(UTC))
        assert not list(hits(lake, Name(VICTIM)))
