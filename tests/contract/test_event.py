"""The audit event's contract: the golden examples, read as the sink reads them and written as the gateway does."""

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import pytest
import uuid_utils

from audit_sink.event import (
    MAX_EVENT_BYTES,
    AuditEvent,
    EventData,
    EventError,
    EventMetadata,
    EventType,
    InvalidEvent,
    InvalidReason,
    decode,
    encode,
    headers,
    new_event_id,
)

EXAMPLES = sorted(Path(str(resources.files("audit_sink").joinpath("examples"))).glob("*.json"))
GOLDEN: dict[str, Any] = orjson.loads((EXAMPLES[0].parent / "query.executed.json").read_bytes())


def produced(document: dict[str, Any]) -> AuditEvent:
    """The event as the gateway holds it before it is encoded."""
    data, error = document["data"], document["data"]["error"]
    return AuditEvent(
        event_id=document["event_id"],
        event_type=EventType(document["event_type"]),
        timestamp=datetime.fromisoformat(document["timestamp"]),
        user_id=document["user_id"],
        data=EventData(**{**data, "error": error and EventError(**error)}),
        metadata=EventMetadata(**document["metadata"]),
    )


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """The document without the member at a path."""
    result = copy.deepcopy(document)
    place = result
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return result


def changed(document: dict[str, Any], value: object, *path: str) -> dict[str, Any]:
    """The document with another value at a path."""
    result = copy.deepcopy(document)
    place = result
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return result


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_valid_event(path: Path) -> None:
    document = orjson.loads(path.read_bytes())

    assert decode(orjson.dumps(document)) == document


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_what_the_producer_writes(path: Path) -> None:
    document = orjson.loads(path.read_bytes())

    assert orjson.loads(encode(produced(document))) == document


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_type_has_an_example_of_its_name(event_type: EventType) -> None:
    path = EXAMPLES[0].parent / f"{event_type}.json"

    assert orjson.loads(path.read_bytes())["event_type"] == event_type


def test_example_ids_are_distinct() -> None:
    ids = [orjson.loads(path.read_bytes())["event_id"] for path in EXAMPLES]

    assert len(set(ids)) == len(ids)


def test_no_member_may_be_absent() -> None:
    members: list[tuple[str, ...]] = [(name,) for name in GOLDEN if name != "schema_version"]
    members += [("data", name) for name in GOLDEN["data"]] + [("metadata", name) for name in GOLDEN["metadata"]]
    for member in members:
        with pytest.raises(InvalidEvent) as caught:
            decode(orjson.dumps(without(GOLDEN, *member)))
        assert caught.value.reason is InvalidReason.SCHEMA
        assert member[-1] in caught.value.detail


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("not-an-id", ("event_id",)),
        ("0192f5a3-7c1e-4b4a-9d2f-3a5b6c7d8e9f", ("event_id",)),
        ("0192F5A3-7C1E-7B4A-9D2F-3A5B6C7D8E9F", ("event_id",)),
        ("query.dropped", ("event_type",)),
        ("2026-11-21T01:02:03Z", ("timestamp",)),
        ("2026-11-21T04:02:03.456+03:00", ("timestamp",)),
        ("", ("user_id",)),
        ("u" * 257, ("user_id",)),
        ("match_all", ("data", "dsl")),
        (-1, ("data", "hits")),
        (1.5, ("data", "took_ms")),
        (None, ("data", "status")),
        ({"code": "forbidden"}, ("data", "error")),
        ("localhost", ("metadata", "client_ip")),
        ("fe80::1%eth0", ("metadata", "client_ip")),
        ("4bf92f35", ("metadata", "trace_id")),
        ("a" * 1025, ("metadata", "user_agent")),
        ("surprise", ("metadata", "password")),
    ],
)
def test_a_member_out_of_its_bounds_is_no_event(value: object, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode(orjson.dumps(changed(GOLDEN, value, *path)))

    assert caught.value.reason is InvalidReason.SCHEMA


def test_a_complaint_says_where_and_tells_nothing_of_the_content() -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode(orjson.dumps(changed(GOLDEN, "my secret search", "metadata", "client_ip")))

    assert "metadata.client_ip" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, InvalidReason.TOMBSTONE),
        (b"", InvalidReason.NOT_JSON),
        (b"\xff\xfe", InvalidReason.NOT_JSON),
        (b'{"event_id":', InvalidReason.NOT_JSON),
        (b"[" * 5000, InvalidReason.NOT_JSON),
        (b"null", InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b"[]", InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b"{}", InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b'{"schema_version": 2}', InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b'{"schema_version": "1"}', InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b'{"schema_version": true}', InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b'{"schema_version": [1]}', InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b" " * (MAX_EVENT_BYTES + 1), InvalidReason.TOO_LARGE),
    ],
)
def test_bytes_that_are_no_event_are_told_apart_by_reason(value: bytes | None, reason: InvalidReason) -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode(value)

    assert caught.value.reason is reason


def test_a_large_dsl_is_cut_and_marked_and_the_query_is_kept() -> None:
    dsl = {"terms": {"Hostname": ["octoxlabs" * 10] * 10_000}}
    event = produced(GOLDEN)
    value = encode(replace(event, data=replace(event.data, dsl=dsl)))

    data = decode(value)["data"]
    assert data["dsl"] == {"truncated": True, "bytes": len(orjson.dumps(dsl))}
    assert data["query"] == GOLDEN["data"]["query"]


@pytest.mark.parametrize("character", ["x", "\0", "\N{OCTOPUS}"])
def test_a_large_query_is_cut_and_marked_after_the_dsl(character: str) -> None:
    event = produced(GOLDEN)
    value = encode(replace(event, data=replace(event.data, query=character * 1_000_000)))

    data = decode(value)["data"]
    assert len(value) <= MAX_EVENT_BYTES
    assert data["dsl"]["truncated"] is True
    assert data["query"] == character * 65_536 + " …[truncated: 1000000 characters]"


def test_the_largest_event_still_fits() -> None:
    longest = "\0" * 1_000_000
    event = replace(
        produced(GOLDEN),
        user_id=longest,
        data=EventData(longest, longest, {"a": longest}, 1, 1, 500, EventError(longest, longest)),
        metadata=EventMetadata(longest, None, None, longest, longest, longest, longest),
    )

    assert decode(encode(event))["data"]["query"].endswith("…[truncated: 1000000 characters]")


def test_a_dsl_too_deep_for_json_is_cut_and_marked() -> None:
    dsl: dict[str, Any] = {}
    for _ in range(2000):
        dsl = {"not": dsl}
    event = produced(GOLDEN)

    data = decode(encode(replace(event, data=replace(event.data, dsl=dsl))))["data"]
    assert data["dsl"] == {"truncated": True, "bytes": None}


def test_texts_beyond_the_schema_are_cut_and_lone_surrogates_replaced() -> None:
    event = produced(GOLDEN)
    metadata = replace(event.metadata, user_agent="a" * 5000)
    event = replace(event, metadata=metadata, data=replace(event.data, query="Hostname = \ud800"))

    document = decode(encode(event))
    assert document["metadata"]["user_agent"] == "a" * 1024
    assert document["data"]["query"] == "Hostname = ?"


def test_a_timestamp_is_written_in_utc_with_milliseconds() -> None:
    istanbul = timezone(timedelta(hours=3))
    event = replace(produced(GOLDEN), timestamp=datetime(2026, 11, 21, 1, 2, 3, 999_999, tzinfo=istanbul))

    assert decode(encode(event))["timestamp"] == "2026-11-20T22:02:03.999Z"


def test_a_timestamp_without_a_time_zone_is_refused() -> None:
    event = replace(produced(GOLDEN), timestamp=datetime.now(UTC).replace(tzinfo=None))

    with pytest.raises(ValueError, match="time zone"):
        encode(event)


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


def test_headers_hold_no_traceparent_where_there_is_none() -> None:
    assert "traceparent" not in dict(headers(produced(GOLDEN), None))


def test_event_ids_are_uuids_of_version_7_in_the_order_they_were_made() -> None:
    ids = [new_event_id() for _ in range(1000)]

    assert {uuid_utils.UUID(event_id).version for event_id in ids} == {7}
    assert sorted(set(ids)) == ids
