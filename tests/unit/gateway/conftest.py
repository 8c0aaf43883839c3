"""Parts that every unit test of the gateway has."""

from types import SimpleNamespace

import pytest

from contracts.query_event.event import AuditEvent


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[AuditEvent]:
    """The events of commands, which reach neither Kafka nor a spool."""
    events: list[AuditEvent] = []
    delivery = SimpleNamespace(record=lambda event, _traceparent: events.append(event))
    monkeypatch.setattr("gateway.audit.commands.event_delivery", lambda: delivery)
    return events
