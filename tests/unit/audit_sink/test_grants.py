"""The grants as data; that they suffice, and hold everybody else off, is tested in tests/e2e."""

from pathlib import Path

import pytest
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from audit_sink.command_line import main
from audit_sink.grants import grants
from contracts.console_event.topics import ConsoleTopicSettings
from contracts.query_event.topics import TopicSettings


def test_the_grants_follow_the_configured_names() -> None:
    found = grants(TopicSettings(topic="events", dlq_topic="letters"), ConsoleTopicSettings(topic="wake-ups"), "group")
    named = {(each.principal, each.restype, each.name, each.operation) for user in found.values() for each in user}
    topic, group, read, write = ResourceType.TOPIC, ResourceType.GROUP, AclOperation.READ, AclOperation.WRITE
    assert named == {
        ("User:gateway", topic, "events", write),
        ("User:gateway", topic, "wake-ups", write),
        ("User:live", topic, "events", read),
        ("User:live", topic, "events", write),
        ("User:live", topic, "wake-ups", read),
        ("User:audit-sink", topic, "events", read),
        ("User:audit-sink", group, "group", read),
        ("User:audit-sink", topic, "letters", write),
        ("User:audit-sink", topic, "letters", read),
        ("User:audit-sink", group, "audit-sink-dead-letters", read),
    }


def test_a_password_that_is_missing_is_named_before_anything_is_asked_of_kafka(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert main(["secure", "--passwords", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == f"audit_sink: the password file {tmp_path / 'gateway'} cannot be read (FileNotFoundError)\n"
