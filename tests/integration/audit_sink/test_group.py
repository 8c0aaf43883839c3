"""Members of the group, offsets and topics come and go; every event becomes one document."""

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from audit_sink.event import encode
from tests.integration.audit_sink.harness import Start, Trail, event, eventually


def test_members_come_and_go_under_load(trail: Trail, start: Start) -> None:
    first = start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    trail.produce(event(number) for number in range(2_000))
    second = start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    trail.produce(event(number) for number in range(2_000))
    second.kill()
    trail.produce(event(number) for number in range(2_000))
    start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    trail.produce(event(number) for number in range(2_000))
    assert first.stop() == 0

    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: trail.lag() == 0, "everything committed")
    trail.assert_account_closes()


def test_a_gap_left_by_retention_is_told_and_crossed(trail: Trail, start: Start) -> None:
    trail.produce_raw(encode(event()), partition=0)
    sink = start()
    eventually(lambda: trail.lag() == 0, "everything committed")
    assert sink.stop() == 0
    for _ in range(10):
        trail.produce_raw(encode(event()), partition=0)
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
        trail.produce_raw(encode(event()), partition=0)
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
        fresh.produce(trail.topic, value=encode(event(number)), partition=0)
    fresh.flush()
    if not is_running:
        sink = start()

    eventually(lambda: len(trail.indexed()) == 13, f"the old documents and all the new ones; log:\n{sink.log()}")
