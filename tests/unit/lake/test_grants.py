"""The grants as data; that they suffice, and hold everybody else off, is tested in tests/e2e."""

from pathlib import Path

import pytest
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from contracts.query_event.topics import TopicSettings
from lake.command_line import main
from lake.grants import grants


def test_the_grants_follow_the_configured_names() -> None:
    found = grants(TopicSettings(topic="events"), "group")
    named = {(each.principal, each.restype, each.name, each.operation) for user in found.values() for each in user}
    assert named == {
        ("User:lake", ResourceType.TOPIC, "events", AclOperation.READ),
        ("User:lake", ResourceType.TOPIC, "events", AclOperation.WRITE),
        ("User:lake", ResourceType.GROUP, "group", AclOperation.READ),
    }


def test_a_password_that_is_missing_is_named_before_anything_is_asked_of_kafka(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert main(["secure", "--passwords", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == f"lake: the password file {tmp_path / 'lake'} cannot be read (FileNotFoundError)\n"
