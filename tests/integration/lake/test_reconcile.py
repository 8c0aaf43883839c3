"""`reconcile` on real servers: it closes, or says what differs."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from lake.command_line import main
from lake.tables import EVENTS
from tests.support.command_line import run_here
from tests.support.consumer_process import ConsumerProcess
from tests.support.lake_trail import LakeTrail, StartLake
from tests.support.query_event import event
from tests.support.waiting import eventually


def _reconcile(trail: LakeTrail, *arguments: str) -> tuple[int, str]:
    done = run_here(main, "reconcile", "--index-prefix", trail.index_prefix, *arguments, variables=trail.environment)
    assert done.stderr == b""
    return done.returncode, done.stdout.decode()


@pytest.fixture
def written(trail: LakeTrail, start: StartLake) -> LakeTrail:
    """A trail of two days, one of them closed, that the sink has indexed and the lake has."""
    times = [datetime.now(UTC) - timedelta(days=days) for days in (2, 0)]
    trail.produce(event(number, time) for time in times for number in range(50))
    trail.produce_raw(b"no event")
    sink = ConsumerProcess(trail, trail.folder / "sink.log", AUDIT_SINK_GROUP_ID=f"{trail.name}-sink")
    try:
        writer = start()
        trail.wait_until_written()
        eventually(trail.all_indexed, "every event is indexed")
        eventually(lambda: trail.written_offsets() == 101, "the record that is no event is accounted for")
        assert writer.stop() == 0
    finally:
        sink.kill()
    return trail


def test_a_lake_that_has_what_kafka_and_elasticsearch_have_closes(written: LakeTrail) -> None:
    status, output = _reconcile(written)

    assert status == 0
    assert output.endswith("nothing differs\n")
    found = orjson.loads(_reconcile(written, "--json")[1])
    assert sum(each["events"] for each in found["partitions"]) == 100
    assert sum(each["rejected"] for each in found["partitions"]) == 1
    assert [(each["lake"], each["elasticsearch"], each["state"]) for each in found["days"]] == [
        (50, 50, "same"),
        (50, 50, "open"),
    ]


def test_what_is_lost_or_doubled_is_said(written: LakeTrail) -> None:
    row = written.lake.open(EVENTS).to_pyarrow_table().sort_by("time").slice(0, 1).to_pylist()[0]
    written.lake.open(EVENTS).delete(f"event_id = '{row['event_id']}'")

    status, output = _reconcile(written)
    assert status == 1
    assert f"partition {row['partition']} of topic {row['topic_id']}: 1 offsets are in no place" in output
    assert f"{row['day']}: the lake has 49 events, and Elasticsearch 50" in output


def test_a_day_that_elasticsearch_keeps_no_longer_does_not_differ(written: LakeTrail) -> None:
    written.client.indices.delete(index=written.index(datetime.now(UTC) - timedelta(days=2)))

    status, output = _reconcile(written)
    assert status == 0
    assert "not kept" in output
