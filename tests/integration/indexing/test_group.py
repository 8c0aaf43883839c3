"""Members of the group, offsets and topics come and go; every event becomes one document."""

import re

import pytest
from confluent_kafka import ConsumerGroupState, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from indexing.group import ConsumerGroup
from indexing.offsets import OffsetTracker
from indexing.topics import PARTITIONS
from kit.kafka import KafkaSettings
from tests.support.consumer_process import ConsumerProcess, Start
from tests.support.faulty_elasticsearch import FaultyElasticsearch
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually


def consumed(sink: ConsumerProcess) -> float:
    """How many records it has read from its partitions, those read again included."""
    return sink.metric("indexing_records_consumed_total")


def test_members_come_and_go_under_load_and_do_not_stop_for_each_other(trail: Trail, start: Start) -> None:
    first = start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    trail.produce(event(number) for number in range(2_000))
    second = start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    trail.produce(event(number) for number in range(2_000))
    second.kill()
    trail.produce(event(number) for number in range(2_000))
    start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    trail.produce(event(number) for number in range(2_000))
    # Of its six partitions it gave away three whenever another joined, and worked on with the rest.
    assert {len(revoked.split(", ")) for revoked in re.findall("revoked: (.*)", first.log())} == {3}
    assert "lost" not in first.log()
    assert first.stop() == 0

    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: trail.lag() == 0, "everything committed")
    trail.assert_account_closes()


@pytest.mark.parametrize("is_in_time", [True, False], ids=["settles", "hangs"])
def test_a_rebalance_waits_for_the_bulk_in_flight_but_not_for_ever(
    trail: Trail, start: Start, proxy: FaultyElasticsearch, is_in_time: bool
) -> None:
    events = [event(number) for number in range(200)]
    released = proxy.hold(events[0])
    trail.produce_documents(events)
    first = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_LINGER_MS="2000")
    eventually(lambda: bool(proxy.bodies), "a bulk in flight")
    second = start()
    if is_in_time:
        eventually(lambda: trail.group_state() is ConsumerGroupState.PREPARING_REBALANCING, "a rebalance")
        released.set()
    eventually(lambda: "partitions revoked: " in first.log(), "three partitions given away")
    second.wait_until_ready()
    eventually(lambda: "partitions assigned: " in second.log(), "three partitions taken")
    released.set()

    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: trail.lag() == 0, "everything committed")
    # Records settled in time were committed in time: no member read them again.
    repeated = consumed(second)
    assert repeated == 0 if is_in_time else repeated > 0
    trail.assert_account_closes()


def test_a_member_that_was_frozen_beyond_its_session_commits_nothing(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    events = [event(number) for number in range(200)]
    released = proxy.hold(events[0])
    trail.produce_documents(events, partition=0)
    first = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_BATCH_SIZE="100")
    eventually(lambda: consumed(first) == 200, "everything read")
    first.freeze()
    second = start()
    trail.produce_documents((event(number) for number in range(200)), partition=0)
    eventually(trail.all_indexed, "every event as a document, the frozen member's too")
    eventually(lambda: trail.lag() == 0, "everything committed")
    # Its answer is there the moment it wakes, and so is the commit that it must not make.
    released.set()
    first.thaw()

    eventually(lambda: "partitions lost" in first.log(), "the loss noticed")
    eventually(lambda: "partitions assigned: " in first.log().partition("partitions lost")[2], "its share again")
    assert trail.lag() == 0
    # The first's 200 again, since it had not committed them, and 200 once: nothing moved the group back.
    assert consumed(second) == 400
    # The first may have read on before it noticed the loss.
    before = consumed(first) + consumed(second)
    trail.produce_documents((event(number) for number in range(200)), partition=0)
    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: trail.lag() == 0, "everything committed")
    assert consumed(first) + consumed(second) - before == 200
    assert first.is_running and second.is_running
    trail.assert_account_closes()


def test_bulks_that_finish_out_of_order_are_committed_in_order(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    events = [event(number) for number in range(150)]
    released = proxy.hold(events[0])
    trail.produce_documents(events, partition=0)
    sink = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_BATCH_SIZE="50", AUDIT_SINK_IN_FLIGHT="2")
    eventually(lambda: sink.metric("indexing_operations_done_total") == 100, "the second and the third bulk")
    trail.produce_documents((event(number) for number in range(10)), partition=1)
    # The other partition is committed, this one is not: its first fifty are not settled.
    eventually(lambda: trail.all_indexed(110) and trail.lag() == 150, "the other partition's commit")
    sink.kill()
    proxy.fault = None
    again = start(ELASTICSEARCH_URL=proxy.url)

    eventually(lambda: trail.lag() == 0, "everything committed")
    assert consumed(again) == 150
    released.set()
    trail.assert_account_closes()


def test_a_gap_left_by_retention_is_told_and_crossed(trail: Trail, start: Start) -> None:
    trail.produce_raw(trail.record(event()), partition=0)
    sink = start()
    eventually(lambda: trail.lag() == 0, "everything committed")
    assert sink.stop() == 0
    for _ in range(10):
        trail.produce_raw(trail.record(event()), partition=0)
    admin = AdminClient({"bootstrap.servers": trail.bootstrap})
    for future in admin.delete_records([TopicPartition(trail.topic, 0, 5)]).values():
        future.result()
    sink = start()

    eventually(lambda: trail.lag() == 0, "everything committed")
    assert "partition 0: offsets 1 to 4 (4 at most) are gone unread" in sink.log()
    assert len(trail.indexed()) == 7


@pytest.mark.parametrize("is_running", [False, True], ids=["stopped", "running"])
def test_a_topic_made_again_is_read_from_its_beginning(trail: Trail, start: Start, is_running: bool) -> None:
    for _ in range(5):
        trail.produce_raw(trail.record(event()), partition=0)
    sink = start()
    eventually(lambda: trail.lag() == 0, "everything committed")
    if not is_running:
        assert sink.stop() == 0
    admin = AdminClient({"bootstrap.servers": trail.bootstrap})
    admin.delete_topics([trail.topic])[trail.topic].result()
    eventually(lambda: trail.topic not in admin.list_topics(timeout=10).topics, "the topic gone")
    trail.create_topics()
    fresh = Producer({"bootstrap.servers": trail.bootstrap})
    for number in range(8):
        fresh.produce(trail.topic, value=trail.record(event(number)), partition=0)
    fresh.flush()
    if not is_running:
        sink = start()

    eventually(lambda: len(trail.indexed()) == 13, f"the old documents and all the new ones; log:\n{sink.log()}")


def test_partitions_that_left_while_all_were_paused_are_read_when_they_come_back(trail: Trail) -> None:
    """The client remembers the pause of a partition that it does not have any more."""
    kafka = KafkaSettings(bootstrap_servers=trail.bootstrap)
    first, second = (
        ConsumerGroup(kafka, trail.topic, f"{trail.topic}-members", OffsetTracker(), "test") for _ in range(2)
    )
    members = [first]
    read: set[int | None] = set()

    def number_of(member: ConsumerGroup) -> int:
        for each in members:
            read.update(record.partition() for record in each.read(100, 0.1))
        return len(member.settled_positions())

    first.join(lambda _orderly: None)
    eventually(lambda: number_of(first) == PARTITIONS, "all partitions")
    first.pause()
    second.join(lambda _orderly: None)
    members.append(second)
    eventually(lambda: number_of(first) == number_of(second) == PARTITIONS // 2, "half of them each")
    first.resume()
    members.remove(second)
    second.leave()
    eventually(lambda: number_of(first) == PARTITIONS, "all partitions again")
    for partition in range(PARTITIONS):
        trail.produce_raw(trail.record(event()), partition)
    eventually(lambda: number_of(first) and read == {*range(PARTITIONS)}, "a record of each partition")
    first.leave()
