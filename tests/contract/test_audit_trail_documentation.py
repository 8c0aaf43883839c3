"""docs/audit-trail.md lists every field of an event and of its document, with the types and examples that they have."""

import re
from importlib import resources
from typing import Any

import orjson

from elastic.bootstrap import templates
from tests.support.paths import ROOT
from tests.unit.audit_sink.test_document import example, finished

_PAGE = (ROOT / "docs/audit-trail.md").read_text(encoding="utf-8")
_ROWS = [
    [cell.strip().strip("`") for cell in row.split("|")[1:-1]]
    for row in re.findall(r"^\| .*\|$", _PAGE, re.MULTILINE)
    if "---" not in row
][1:]
_SCHEMA: dict[str, Any] = orjson.loads(
    resources.files("contracts.query_event").joinpath("schema/query-event.v1.json").read_bytes()
)


def _members(schema: dict[str, Any], path: str = "") -> dict[str, dict[str, Any]]:
    """The schema's members that hold no others, by their paths."""
    found: dict[str, dict[str, Any]] = {}
    for name, member in schema["properties"].items():
        reference = re.search(r"#/\$defs/(\w+)", str(member))
        if reference:
            found |= _members(_SCHEMA["$defs"][reference[1]], f"{path}{name}.")
        else:
            found[path + name] = member
    return found


def _fields(properties: dict[str, Any], path: str = "") -> dict[str, str]:
    """The mapping's fields with their types, sub-fields included."""
    found: dict[str, str] = {}
    for name, field in properties.items():
        if "properties" in field:
            found |= _fields(field["properties"], f"{path}{name}.")
        else:
            found[path + name] = field["type"]
            found |= _fields(field.get("fields", {}), f"{path}{name}.")
    return found


def _value(document: dict[str, Any], path: str) -> Any:
    for name in path.removesuffix(".text").split("."):
        document = document[name]
    return document


def test_every_member_of_an_event_has_a_row() -> None:
    members = [event for event, *_ in _ROWS if event]
    assert sorted(members) == sorted(_members(_SCHEMA))


def test_every_field_of_the_index_has_a_row_with_its_type() -> None:
    fields = {field: type_ for _, field, type_, *_ in _ROWS if field}
    assert fields == _fields(templates()["query-logs"]["template"]["mappings"]["properties"])


def test_a_row_says_never_of_what_is_never_null() -> None:
    for event, _, _, _, null in _ROWS:
        if event and "error" not in event and event != "data.target.type":
            schema = _members(_SCHEMA)[event]
            nullable = "null" in schema.get("type", []) or {"type": "null"} in schema.get("anyOf", [])
            assert nullable is not null.startswith("never"), event


def test_every_example_is_of_a_document() -> None:
    executed, rejected, changed = (
        finished(example(name), 3, 77) for name in ("query.executed", "query.rejected", "inventory.changed")
    )
    of = {"error": rejected, "sluice.target": changed}
    for _, field, _, shown, _ in _ROWS:
        if field:
            found = _value(of.get(field.rpartition(".")[0], executed), field)
            assert shown == (found if isinstance(found, str) else orjson.dumps(found).decode()), field
