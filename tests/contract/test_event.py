"""The audit event's contract: the golden examples, held against the schema, and written as the gateway does."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest
import uuid_utils
from msgspec.structs import replace

from contracts.query_event.event import (
    MAX_EVENT_BYTES,
    SCHEMA_VERSION,
    AuditEvent,
    EventData,
    EventError,
    EventMetadata,
    EventType,
    encode,
    headers,
    new_event_id,
    rfc3339,
    write_dsl,
)
from tests.support.query_event import EXAMPLES, complete, is_valid, read_event

GOLDEN: dict[str, Any] = orjson.loads((EXAMPLES[0].parent / "query.executed.json").read_bytes())


def produced(document: dict[str, Any]) -> AuditEvent:
    """The event as the gateway holds it before it is encoded."""
    data, error = document["data"], document["data"]["error"]
    return AuditEvent(
        event_id=document["event_id"],
        event_type=document["event_type"],
        schema_version=SCHEMA_VERSION,
        timestamp=rfc3339(datetime.fromisoformat(document["timestamp"])),
        user_id=document["user_id"],
        data=EventData(**{**data, "dsl": write_dsl(data["dsl"]), "error": error and EventError(**error)}),
        metadata=EventMetadata(**document["metadata"]),
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_valid_event(path: Path) -> None:
    document = orjson.loads(path.read_bytes())

    assert is_valid(document)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_what_the_producer_writes(path: Path) -> None:
    document = orjson.loads(path.read_bytes())

    assert orjson.loads(encode(produced(document))) == complete(document)


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_type_has_an_example_of_its_name(event_type: EventType) -> None:
    path = EXAMPLES[0].parent / f"{event_type}.json"

    assert orjson.loads(path.read_bytes())["event_type"] == event_type


def test_example_ids_are_distinct() -> None:
    ids = [orjson.loads(path.read_bytes())["event_id"] for path in EXAMPLES]

    assert len(set(ids)) == len(ids)


def test_a_large_dsl_is_cut_and_marked_and_the_query_is_kept() -> None:
    dsl = {"terms": {"Hostname": ["octoxlabs" * 10] * 10_000}}
    event = produced(GOLDEN)
    value = encode(replace(event, data=replace(event.data, dsl=write_dsl(dsl))))

    data = read_event(value)["data"]
    assert data["dsl"] == {"truncated": True, "bytes": len(orjson.dumps(dsl))}
    assert data["query"] == GOLDEN["data"]["query"]


@pytest.mark.parametrize("character", ["x", "\0", "\N{OCTOPUS}"])
def test_a_large_query_is_cut_and_marked_after_the_dsl(character: str) -> None:
    event = produced(GOLDEN)
    value = encode(replace(event, data=replace(event.data, query=character * 1_000_000)))

    data = read_event(value)["data"]
    assert len(value) <= MAX_EVENT_BYTES
    assert data["dsl"]["truncated"] is True
    assert data["query"] == character * 65_536 + " …[truncated: 1000000 characters]"


def test_the_largest_event_still_fits() -> None:
    longest = "\0" * 1_000_000
    event = replace(
        produced(GOLDEN),
        user_id=longest,
        data=EventData(longest, longest, write_dsl({"a": longest}), 1, 1, 500, EventError(longest, longest)),
        metadata=EventMetadata(longest, None, None, longest, longest, longest, longest),
    )

    assert read_event(encode(event))["data"]["query"].endswith("…[truncated: 1000000 characters]")


def test_a_dsl_too_deep_for_json_is_cut_and_marked() -> None:
    dsl: dict[str, Any] = {}
    for _ in range(2000):
        dsl = {"not": dsl}
    event = produced(GOLDEN)

    data = read_event(encode(replace(event, data=replace(event.data, dsl=write_dsl(dsl)))))["data"]
    assert data["dsl"] == {"truncated": True, "bytes": None}


def test_texts_beyond_the_schema_are_cut_and_lone_surrogates_replaced() -> None:
    event = produced(GOLDEN)
    metadata = replace(event.metadata, user_agent="a" * 5000)
    event = replace(event, metadata=metadata, data=replace(event.data, query="Hostname = \ud800"))

    document = read_event(encode(event))
    assert document["metadata"]["user_agent"] == "a" * 1024
    assert document["data"]["query"] == "Hostname = ?"


def test_a_timestamp_is_written_in_utc_with_milliseconds() -> None:
    istanbul = timezone(timedelta(hours=3))

    assert rfc3339(datetime(2026, 11, 21, 1, 2, 3, 999_999, tzinfo=istanbul)) == "2026-11-20T22:02:03.999Z"


def test_a_timestamp_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        rfc3339(datetime.now(UTC).replace(tzinfo=None))


def test_headers_are_cloudevents_binary_mode() -> None:
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    assert headers(produced(GOLDEN), traceparent) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", GOLDEN["event_id"].encode()),
        ("ce_type", b"query.executed"),
        ("ce_source", b"/sluice/gateway"),
        ("ce_time", b"2026-11-21T01:02:03.456Z"),
        ("content-type", b"application/json"),
        ("traceparent", traceparent.encode()),
    ]


def test_headers_hold_no_traceparent_where_the_request_has_none() -> None:
    assert "traceparent" not in dict(headers(produced(GOLDEN), None))


def test_event_ids_are_uuids_of_version_7_in_the_order_they_were_made() -> None:
    ids = [new_event_id() for _ in range(1000)]

    assert {uuid_utils.UUID(event_id).version for event_id in ids} == {7}
    assert sorted(set(ids)) == ids
