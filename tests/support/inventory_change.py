"""The contract of the inventory's change as data: its schema, and what the schema says of a record's value."""

from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

_CONTRACT = Path(str(resources.files("contracts.inventory_change")))

SCHEMA: dict[str, Any] = orjson.loads((_CONTRACT / "schema" / "inventory-change.v1.json").read_bytes())
EXAMPLES = sorted((_CONTRACT / "examples").glob("*.json"))

_validator = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)


def is_valid(change: object) -> bool:
    """Whether the schema takes this as a change."""
    return _validator.is_valid(change)


def read_change(value: bytes | None) -> dict[str, Any]:
    """The change in a record's value; fails if the schema does not take it."""
    assert value is not None
    change: dict[str, Any] = orjson.loads(value)
    _validator.validate(change)
    return change
