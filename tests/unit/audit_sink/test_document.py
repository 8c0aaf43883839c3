"""The finished document: the contract's fields, all of them declared in the index template."""

from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from audit_sink.decoder import decode
from audit_sink.document import bulk_lines, document
from tests.query_event import EXAMPLES

MAPPINGS: dict[str, Any] = orjson.loads(resources.files("elastic").joinpath("templates/query-logs.json").read_bytes())[
    "template"
]["mappings"]


def example(name: str) -> dict[str, Any]:
    """A golden event."""
    event: dict[str, Any] = orjson.loads((EXAMPLES[0].parent / f"{name}.json").read_bytes())
    return event


def finished(event: dict[str, Any], partition: int, offset: int) -> dict[str, Any]:
    """The event's document as it is written."""
    written: dict[str, Any] = orjson.loads(
        msgspec.json.encode(document(decode(orjson.dumps(event)), partition, offset))
    )
    return written


def undeclared(value: dict[str, Any], properties: dict[str, Any], path: str = "") -> list[str]:
    """The document's members that the mapping does not know."""
    found = []
    for name, member in value.items():
        declared = properties.get(name)
        if declared is None:
            found.append(path + name)
        elif "properties" in declared:
            found += undeclared(member, declared["properties"], f"{path}{name}.")
    return found


def test_an_executed_query_becomes_this_document() -> None:
    event = example("query.executed")

    assert finished(event, partition=3, offset=77) == {
        "@timestamp": event["timestamp"],
        "event": {"id": event["event_id"], "action": "query.executed", "outcome": "success", "duration": 3_000_000},
        "user": {"name": "octoAdmin"},
        "source": {"ip": "192.0.2.10"},
        "user_agent": {"original": "curl/8.10.1"},
        "http": {"request": {"id": event["metadata"]["request_id"]}, "response": {"status_code": 200}},
        "trace": {"id": "4bf92f3577b34da6a3ce929d0e0e4736"},
        "sluice": {
            "query": "Hostname = octoxlabs*",
            "index": "devices",
            "auth_scheme": "octoxlabs",
            "hits": 12,
            "dsl": event["data"]["dsl"],
            "kafka": {"partition": 3, "offset": 77},
        },
    }


def test_a_rejected_query_is_a_failure_with_its_error() -> None:
    event = example("query.rejected")
    written = finished(event, 0, 0)

    assert written["event"]["outcome"] == "failure"
    assert written["event"]["duration"] is None
    assert written["error"] == event["data"]["error"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_field_is_declared_in_the_strict_template(path: Path) -> None:
    assert MAPPINGS["dynamic"] == "strict"
    assert undeclared(finished(orjson.loads(path.read_bytes()), 0, 0), MAPPINGS["properties"]) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_bulk_lines_create_the_document_under_the_events_id(path: Path) -> None:
    event = orjson.loads(path.read_bytes())
    action, source, rest = bulk_lines(decode(path.read_bytes()), 1, 2, 1_795_222_800_000, "query-logs-").split(b"\n")

    assert orjson.loads(action) == {"create": {"_index": "query-logs-2026.11.21", "_id": event["event_id"]}}
    assert orjson.loads(source) == finished(event, 1, 2)
    assert rest == b""


def test_a_dsl_of_any_depth_is_written_as_it_came() -> None:
    event = example("query.executed")
    event["data"]["dsl"] = orjson.loads(b'{"not":' * 250 + b"{}" + b"}" * 250)
    value = orjson.dumps(event).replace(b'{"not":' * 250, b'{"not":' * 900).replace(b"}" * 251, b"}" * 901)
    source = bulk_lines(decode(value), 1, 2, 1_795_222_800_000, "query-logs-").split(b"\n")[1]

    assert b'{"not":' * 900 in source
