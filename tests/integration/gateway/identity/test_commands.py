"""Commands of operators leave an event of what they changed, on Kafka or, while it is away, in the spool."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.spool_format import unframe
from tests.support.gateway import Backing, Gateway, configured_gateway
from tests.support.query_event import read_event

Events = Callable[[], Iterator[dict[str, Any]]]


@pytest.fixture
def gateway(tmp_path: Path, backing: Backing) -> Gateway:
    """A gateway whose commands are run."""
    return configured_gateway(tmp_path, backing)


def _changes(events: Events, name: str) -> list[dict[str, Any]]:
    return [each for each in events() if f'"{name}"' in (each["data"]["query"] or "")]


def test_what_a_command_changes_is_an_event(gateway: Gateway, events: Events) -> None:
    assert gateway.run("user", "ayse", "--role", "auditor").stdout == "created: ayse\n"
    assert gateway.run("user", "ayse", "--role", "auditor").stdout == "known: ayse\n"
    (event,) = _changes(events, "ayse")
    assert (event["event_type"], event["data"]["status"]) == ("admin.changed", 200)
    assert event["data"]["query"] == 'add user "ayse": is_active true, role "auditor"'
    assert event["metadata"]["auth_scheme"] == "command-line"
    assert event["user_id"].partition("@")[2]


def test_an_erasure_is_an_event_that_does_not_name_the_person(gateway: Gateway, events: Events) -> None:
    assert gateway.run("user", "deniz").returncode == 0
    before = len(list(events()))
    assert gateway.run("erase", "deniz", "--delete").returncode == 0
    after = list(events())
    assert len(after) == before + 1
    assert [each["event_type"] for each in after if (each["data"]["query"] or "").startswith("erase a user: ")]


def test_while_kafka_is_away_the_event_waits_on_the_disk(gateway: Gateway, closed_port: int, tmp_path: Path) -> None:
    done = gateway.run("user", "ece", KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{closed_port}")
    assert (done.returncode, done.stdout) == (0, "created: ece\n")
    (segment,) = (tmp_path / "spool").glob("*/*.spool")
    (record,) = unframe(segment.read_bytes()).records
    assert read_event(record.value)["data"]["query"] == 'add user "ece": is_active true'
