"""The contract of the audit event as data: its schema, and what the schema says of a record's value."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

Changes = Callable[[], list[str]]
"""Reads the changes of operators on a topic, in words."""

_CONTRACT = Path(str(resources.files("contracts.query_event")))

SCHEMA: dict[str, Any] = orjson.loads((_CONTRACT / "schema" / "query-event.v1.json").read_bytes())
EXAMPLES = sorted((_CONTRACT / "examples").glob("*.json"))

_validator = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)


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
