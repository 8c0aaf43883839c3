"""Parts of the tests of `python -m elastic`: the audit trail's topic, which its changes go to."""

from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.support import topic
from tests.support.query_event import Changes, read_event


@pytest.fixture
def changes(kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> Changes:
    """Read the changes on a topic of the test's own, in words."""
    name = f"changes-{uuid4().hex[:12]}"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for made in admin.create_topics([NewTopic(name, 1, 1)]).values():
        made.result(30)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka_bootstrap)
    monkeypatch.setenv("AUDIT_TOPIC", name)

    def read() -> list[str]:
        events = [read_event(message.value()) for message in topic.records(kafka_bootstrap, name, [0])]
        assert {event["event_type"] for event in events} <= {"admin.changed"}
        assert {event["metadata"]["service"] for event in events} <= {"elastic"}
        return [event["data"]["query"] for event in events]

    return read
