"""The writer on a real topic: each record is in the lake once, whatever happens to the writer."""

import signal
from pathlib import Path

from tests.benchmarks.lake_kills import Plan, run
from tests.support.lake_trail import LakeTrail, StartLake
from tests.support.query_event import event


def test_every_record_of_the_topic_is_a_row(trail: LakeTrail, start: StartLake) -> None:
    trail.produce(event(number) for number in range(300))
    trail.produce_raw(b"no event", partition=2)
    trail.produce_raw(None, partition=2)
    writer = start()
    trail.wait_until_written()
    trail.produce(event(number) for number in range(300))
    trail.wait_until_written()
    assert writer.stop(signal.SIGTERM) == 0
    trail.assert_account_closes()


def test_sigterm_commits_what_was_read(trail: LakeTrail, start: StartLake) -> None:
    writer = start(LAKE_COMMIT_SECONDS="600").wait_until_ready()
    trail.produce(event(number) for number in range(100))
    writer.wait_until_read(100)
    assert not trail.is_written()
    assert writer.stop(signal.SIGTERM) == 0
    trail.assert_account_closes()


def test_kills_at_random_moments_lose_and_double_nothing(trail: LakeTrail, tmp_path: Path) -> None:
    figures = run(trail, tmp_path, Plan(events=20_000, kills=3, garbage=0.01))

    assert figures.lost == 0
    assert figures.rows + figures.rejected == figures.records
