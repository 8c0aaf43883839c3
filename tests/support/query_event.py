"""An audit event, and its contract as data: its schema, and what the schema says of a record's value."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from contracts.query_event.event import (
    SCHEMA_VERSION,
    AuditEvent,
    EventData,
    EventMetadata,
    EventType,
    new_event_id,
    rfc3339,
    write_dsl,
)

Changes = Callable[[], list[str]]
"""Reads the changes of operators on a topic, in words."""

_CONTRACT = Path(str(resources.files("contracts.query_event")))

SCHEMA: dict[str, Any] = orjson.loads((_CONTRACT / "schema" / "query-event.v1.json").read_bytes())
EXAMPLES = sorted((_CONTRACT / "examples").glob("*.json"))

_validator = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)


def event(number: int = 0, timestamp: datetime | None = None, query: str | None = None) -> AuditEvent:
    """An executed query; the number makes it recognisable."""
    text = f"Hostname = octoxlabs{number:06}" if query is None else query
    data = EventData(text, "devices", write_dsl({"term": {"Hostname": {"value": text}}}), 1, 2, 200, None)
    metadata = EventMetadata(f"request-{number}", None, "192.0.2.1", "pytest", "octoxlabs", "gateway", "0.1.0")
    when = rfc3339(timestamp or datetime.now(UTC))
    return AuditEvent(
        new_event_id(), EventType.QUERY_EXECUTED, SCHEMA_VERSION, when, f"user{number % 20}", data, metadata
    )


def complete(event: dict[str, Any]) -> dict[str, Any]:
    """An event with null for each optional member that it lacks, as the producer writes it."""
    definitions = SCHEMA["$defs"]
    full = {**event, "data": {**event["data"]}, "metadata": {**event["metadata"]}}
    parts = [(full, SCHEMA), (full["data"], definitions["data"]), (full["metadata"], definitions["metadata"])]
    if isinstance(full["data"].get("target"), dict):
        full["data"]["target"] = {**full["data"]["target"]}
        parts.append((full["data"]["target"], definitions["target"]))
    for part, schema in parts:
        for optional in schema["properties"].keys() - set(schema["required"]):
            part.setdefault(optional, None)
    return full


def is_valid(event: object) -> bool:
    """Whether the schema takes this as an event."""
    return _validator.is_valid(event)


def read_event(value: bytes | None) -> dict[str, Any]:
    """The event in a record's value; fails if the schema does not take it."""
    assert value is not None
    event: dict[str, Any] = orjson.loads(value)
    _validator.validate(event)
    return event
