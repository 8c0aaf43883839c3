"""Parts of the tests of `python -m elastic`: the audit trail's topic, which its changes go to."""

from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.support.query_event import Changes, read_event


@pytest.fixture
def changes(kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> Changes:
    """Read the changes on a topic of the test's own, in words."""
    topic = f"changes-{uuid4().hex[:12]}"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for made in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        made.result(30)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka_bootstrap)
    monkeypatch.setenv("AUDIT_TOPIC", topic)

    def read() -> list[str]:
        consumer = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": topic, "enable.auto.commit": False})
        try:
            start = TopicPartition(topic, 0, 0)
            unread = consumer.get_watermark_offsets(start, timeout=30)[1]
            consumer.assign([start])
            events = [read_event(message.value()) for message in consumer.consume(unread, 30)]
        finally:
            consumer.close()
        assert {event["event_type"] for event in events} <= {"admin.changed"}
        assert {event["metadata"]["service"] for event in events} <= {"elastic"}
        return [event["data"]["query"] for event in events]

    return read
