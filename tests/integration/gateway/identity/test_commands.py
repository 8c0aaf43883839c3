"""Commands of operators leave an event of what they changed, on Kafka or, while it is away, in the spool."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gateway.audit.spool_format import unframe
from tests.support.gateway import Backing, Gateway, configured_gateway
from tests.support.query_event import read_event

Events = Callable[[], Iterator[dict[str, Any]]]


@pytest.fixture
def gateway(tmp_path: Path, backing: Backing) -> Gateway:
    """A gateway whose commands are run, and wait for Kafka as long as a busy machine takes."""
    return configured_gateway(tmp_path, backing, GATEWAY_AUDIT_TIMEOUT="10")


def _changes(events: Events, name: str) -> list[dict[str, Any]]:
    return [each for each in events() if f'"{name}"' in (each["data"]["query"] or "")]


def test_a_change_by_a_command_is_an_event(gateway: Gateway, events: Events) -> None:
    name = f"ayse-{uuid4().hex}"
    assert gateway.run("user", name, "--role", "auditor").stdout == f"created: {name}\n"
    assert gateway.run("user", name, "--role", "auditor").stdout == f"known: {name}\n"
    (event,) = _changes(events, name)
    assert (event["event_type"], event["data"]["status"]) == ("admin.changed", 200)
    assert event["data"]["query"] == f'add user "{name}": is_active true, role "auditor"'
    assert event["metadata"]["auth_scheme"] == "command-line"
    assert event["user_id"].partition("@")[2]


def test_an_erasure_is_an_event_that_does_not_name_the_person(gateway: Gateway, events: Events) -> None:
    name = f"deniz-{uuid4().hex}"
    assert gateway.run("user", name).returncode == 0
    known = {each["event_id"] for each in events()}
    assert gateway.run("erase", name, "--delete").returncode == 0
    (added,) = [each for each in events() if each["event_id"] not in known]
    assert added["event_type"] == "admin.changed"
    assert added["data"]["query"].startswith("erase a user: ")
    assert name not in str(added)


def test_while_kafka_is_away_the_event_waits_on_the_disk(gateway: Gateway, closed_port: int, tmp_path: Path) -> None:
    away = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{closed_port}", "GATEWAY_AUDIT_TIMEOUT": "1"}
    done = gateway.run("user", "ece", **away)
    assert (done.returncode, done.stdout) == (0, "created: ece\n")
    (segment,) = (tmp_path / "spool").glob("*/*.spool")
    (record,) = unframe(segment.read_bytes()).records
    assert read_event(record.value)["data"]["query"] == 'add user "ece": is_active true'
