"""The inventory's API without servers: what goes on the trail is caught."""

import base64
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django import Settings

from contracts.query_event.event import AuditEvent
from gateway.identity.models import Role, User

Ask = Callable[..., Any]


@pytest.fixture
def trail(monkeypatch: pytest.MonkeyPatch) -> list[AuditEvent]:
    """The events that requests have recorded."""
    events: list[AuditEvent] = []
    delivery = SimpleNamespace(record=lambda event, _traceparent: events.append(event))
    monkeypatch.setattr("gateway.audit.recording.event_delivery", lambda: delivery)
    return events


@pytest.fixture
def ask(client: Client, db: None, settings: Settings, trail: list[AuditEvent]) -> Ask:
    """Asks the API, as the administrator "ada" unless another name is given; there are "adapter" and "reader" too."""
    del db, trail
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"unsigned_tokens": True})
    User.objects.create(username="ada", role=Role.ADMIN)
    User.objects.create(username="adapter", granted_indices=[], writable_types=["product", "plan", "plan-service"])
    User.objects.create(username="reader", granted_indices=[])

    def send(
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = "ada",
        media_type: str = "application/json",
        **headers: str,
    ) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            named["Authorization"] = f"Octoxlabs {base64.b64encode(user.encode()).decode()}"
        data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        return client.generic(method, path, data, content_type=media_type, headers=named)

    return send
