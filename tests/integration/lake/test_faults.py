"""Faults that the writer must survive, each on a real topic: what happens to it, to Kafka and to the disk."""

import resource
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import orjson
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from contracts.query_event.event import AuditEvent, encode
from lake.tables import GAPS, REJECTED
from tests.support.lake import rows, write_events
from tests.support.lake_trail import LakeTrail, StartLake
from tests.support.query_event import event
from tests.support.waiting import eventually

_NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def _events(count: int) -> Sequence[AuditEvent]:
    return [event(number) for number in range(count)]


def test_a_paused_writer_that_wakes_after_its_partitions_have_gone_writes_nothing_twice(
    trail: LakeTrail, start: StartLake
) -> None:
    trail.produce(_events(100))
    paused = start(LAKE_COMMIT_SECONDS="4")
    paused.wait_until_read(100)
    paused.freeze()
    other = start()
    trail.wait_until_written()
    trail.produce(_events(100))
    trail.wait_until_written()

    paused.thaw()
    eventually(lambda: paused.metric("lake_dropped_batches_total") == 1, "its batch is dropped")
    trail.produce(_events(100))
    trail.wait_until_written()
    assert (paused.stop(), other.stop()) == (0, 0)
    trail.assert_account_closes()


def test_two_writers_that_do_not_know_of_each_other_write_each_record_once(trail: LakeTrail, start: StartLake) -> None:
    writers = [start(LAKE_GROUP_ID=f"{trail.name}-{number}").wait_until_ready() for number in range(2)]
    for _ in range(5):
        trail.produce(_events(200))
        trail.wait_until_written()

    assert [writer.stop() for writer in writers] == [0, 0]
    trail.assert_account_closes()


def test_the_lake_is_the_position_and_not_what_the_group_has_committed(trail: LakeTrail, start: StartLake) -> None:
    trail.produce(_events(100), partition=0)
    start().wait_until_read(100)
    eventually(lambda: trail.lag() == 0, "Kafka knows how far the lake is")
    trail.wait_until_written()
    later = LakeTrail(
        trail.bootstrap,
        trail.elasticsearch_url,
        trail.name,
        trail.client,
        trail.producer,
        ids=trail.ids,
        folder=trail.folder / "restored",
    )
    start(LAKE_URL=later.lake.settings.url, LAKE_GROUP_ID=f"{trail.name}-restored")

    later.wait_until_written()
    later.assert_account_closes()


def test_a_topic_that_is_made_again_is_read_from_its_beginning(trail: LakeTrail, start: StartLake) -> None:
    trail.produce(_events(50), partition=0)
    writer = start()
    trail.wait_until_written()
    admin = AdminClient({"bootstrap.servers": trail.bootstrap})
    admin.delete_topics([trail.topic])[trail.topic].result()

    def is_made_again() -> bool:
        trail.create_topics()
        return True

    eventually(is_made_again, "the topic is made again")
    trail.produce(_events(30), partition=0)
    trail.wait_until_written()
    assert writer.stop() == 0
    trail.assert_account_closes()
    assert len(set(rows(trail.lake)["topic_id"].to_pylist())) == 2


def test_offsets_that_kafka_deleted_unread_are_a_gap(trail: LakeTrail, start: StartLake) -> None:
    trail.produce(_events(20), partition=0)
    unread = set(trail.ids)
    admin = AdminClient({"bootstrap.servers": trail.bootstrap})
    for future in admin.delete_records([TopicPartition(trail.topic, 0, 15)]).values():
        future.result()
    trail.ids = set()
    trail.produce(_events(10), partition=0)
    writer = start()
    trail.wait_until_written()
    assert writer.stop() == 0

    [gap] = rows(trail.lake, GAPS).select(["partition", "first", "next"]).to_pylist()
    assert gap == {"partition": 0, "first": 0, "next": 15}
    assert len(unread - set(trail.event_ids())) == 15
    trail.assert_offsets_are_dense()


def test_a_gap_below_a_running_writer_is_a_row(trail: LakeTrail, start: StartLake) -> None:
    writer = start(LAKE_COMMIT_SECONDS="0.2").wait_until_ready()
    trail.produce(_events(5), partition=0)
    trail.wait_until_written()
    writer.freeze()
    trail.produce(_events(20), partition=0)
    admin = AdminClient({"bootstrap.servers": trail.bootstrap})
    for future in admin.delete_records([TopicPartition(trail.topic, 0, 25)]).values():
        future.result()
    trail.ids = set(trail.event_ids())
    trail.produce(_events(5), partition=0)
    writer.thaw()

    trail.wait_until_written()
    assert writer.stop() == 0
    trail.assert_offsets_are_dense()


def test_records_of_an_unknown_version_are_kept_with_their_bytes_and_reason(trail: LakeTrail, start: StartLake) -> None:
    newer = orjson.dumps(orjson.loads(encode(event())) | {"schema_version": 2})
    trail.produce_raw(newer, partition=3)
    trail.produce(_events(3), partition=3)
    writer = start()
    trail.wait_until_written()
    assert writer.stop() == 0

    [row] = rows(trail.lake, REJECTED).to_pylist()
    assert (row["reason"], row["value"], row["partition"], row["offset"]) == ("unknown_schema_version", newer, 3, 0)
    assert row["key"] == b"raw"
    trail.assert_account_closes()


def test_events_of_a_bad_clock_go_to_the_day_on_which_kafka_had_them(trail: LakeTrail, start: StartLake) -> None:
    now = datetime.now(UTC)
    times = [now - timedelta(days=400), now + timedelta(days=400), now]
    trail.produce([event(number, time) for number, time in enumerate(times)], partition=0)
    writer = start()
    trail.wait_until_written()
    assert writer.stop() == 0

    found = rows(trail.lake).to_pylist()
    assert {row["day"] for row in found} <= {now.date(), datetime.now(UTC).date()}
    assert [row["time"].year for row in found] == [time.year for time in times]


def test_a_full_disk_loses_nothing_and_is_said_once(trail: LakeTrail, start: StartLake) -> None:
    writer = start(LAKE_COMMIT_SECONDS="0.2").wait_until_ready()
    trail.produce(_events(50))
    trail.wait_until_written()
    # Files may not grow; the log has some room.
    writer.process.rlimit(resource.RLIMIT_FSIZE, (len(writer.log()) + 4_000, resource.RLIM_INFINITY))
    trail.produce(_events(500))
    eventually(lambda: writer.metric("lake_commit_failures_total") >= 3, "tries that fail")
    status, body = writer.get("/readyz")
    assert status == 503
    assert "File too large" in orjson.loads(body)["dependencies"]["lake"]
    assert writer.log().count("the batch is kept") == 1
    writer.process.rlimit(resource.RLIMIT_FSIZE, _NO_LIMIT)

    trail.wait_until_written()
    assert writer.stop() == 0
    trail.assert_account_closes()


def test_a_writer_killed_while_the_disk_is_full_leaves_a_lake_that_goes_on(trail: LakeTrail, start: StartLake) -> None:
    writer = start(LAKE_COMMIT_SECONDS="0.2").wait_until_ready()
    trail.produce_raw(b"no event")
    # The row of `rejected` is committed, and the events beside it are not.
    trail.produce(_events(2_000))
    writer.process.rlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    eventually(lambda: writer.metric("lake_commit_failures_total") >= 1, "a try that fails")
    writer.kill()
    assert trail.lake.open(REJECTED).version() >= 1

    start()
    trail.wait_until_written()
    trail.assert_account_closes()


def test_where_the_broker_lost_records_those_that_get_their_offsets_are_read(
    trail: LakeTrail, start: StartLake
) -> None:
    trail.produce(_events(20), partition=0)
    # As if thirty more had been there, and gone with the leader of the partition.
    write_events(trail.lake, [event() for _ in range(50)], topic_id=trail.topic_id())
    writer = start()
    eventually(lambda: "the broker lost records" in writer.log(), "a line about it")
    trail.ids = set()
    trail.produce(_events(40), partition=0)

    trail.wait_until_written()
    assert writer.stop() == 0
    assert rows(trail.lake).num_rows == 90
