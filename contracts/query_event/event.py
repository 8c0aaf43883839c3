"""The audit event: the contract between the gateway, which produces it, and the audit sink, which indexes it.

The shape is data: ``schema/query-event.v1.json`` defines it, ``examples/`` has golden events. A record is one event in
CloudEvents 1.0 Kafka binary mode: this JSON object as its value, the CloudEvents attributes as its headers
(https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import orjson
import uuid_utils

SCHEMA_VERSION = 1

MAX_EVENT_BYTES = 512 * 1024
"""No encoded event is longer, so that a record always passes the topic's ``max.message.bytes``."""

# Even if each of these characters takes six bytes (\u0000), an event without its dsl stays below MAX_EVENT_BYTES.
_CUT_QUERY_CHARACTERS = 65_536


class EventType(StrEnum):
    """What became of a request."""

    QUERY_EXECUTED = "query.executed"
    QUERY_REJECTED = "query.rejected"
    QUERY_DENIED = "query.denied"
    QUERY_FAILED = "query.failed"
    QUERY_THROTTLED = "query.throttled"
    AUTH_SUCCEEDED = "auth.succeeded"
    AUTH_FAILED = "auth.failed"
    AUTH_THROTTLED = "auth.throttled"


@dataclass(frozen=True, slots=True)
class EventError:
    """Why a request had no success: a problem's ``code`` (at most 64 characters) and its sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class EventData:
    """What was asked and answered; a member that does not apply is None.

    ``hits`` and ``took_ms`` (milliseconds) are None for streams and wherever nothing was searched; ``query``, ``index``
    and ``dsl`` are None for authentication, but that ``query`` says what an operator has changed in ``/admin/``.
    ``status`` is the HTTP status of the answer.
    """

    query: str | None
    index: str | None
    dsl: dict[str, Any] | None
    hits: int | None
    took_ms: int | None
    status: int
    error: EventError | None


@dataclass(frozen=True, slots=True)
class EventMetadata:
    """Who asked, from where, through what.

    ``trace_id`` is the W3C trace-id (32 hexadecimal digits), ``client_ip`` an IPv4 or IPv6 address without a zone,
    ``auth_scheme`` a short name for how the caller was identified. Never a credential.
    """

    request_id: str
    trace_id: str | None
    client_ip: str | None
    user_agent: str | None
    auth_scheme: str | None
    service: str
    service_version: str


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One request, for the audit trail; ``user_id`` is None for a caller who is not known."""

    event_id: str
    event_type: EventType
    timestamp: datetime
    user_id: str | None
    data: EventData
    metadata: EventMetadata


def new_event_id() -> str:
    """Mint an event's id: a UUIDv7 (RFC 9562), so ids sort by the time they were made."""
    return str(uuid_utils.uuid7())


def encode(event: AuditEvent) -> bytes:
    """Make the record's value: one JSON object in UTF-8 of at most ``MAX_EVENT_BYTES``.

    What is too long is cut rather than refused, because a request must not escape the trail by its size: first ``dsl``
    is replaced by its mark, then ``query`` is shortened and marked (the schema describes both marks). Other texts are
    cut at the schema's lengths.

    Raises:
        ValueError: the timestamp has no time zone.
    """
    document = _document(event)
    data = document["data"]
    try:
        value = orjson.dumps(document)
    except orjson.JSONEncodeError:  # nested too deeply, or with a value that JSON does not have
        data["dsl"] = {"truncated": True, "bytes": None}
        value = orjson.dumps(document)
    if len(value) > MAX_EVENT_BYTES and event.data.dsl is not None:
        data["dsl"] = {"truncated": True, "bytes": len(orjson.dumps(event.data.dsl))}
        value = orjson.dumps(document)
    if len(value) > MAX_EVENT_BYTES:
        query = data["query"]
        data["query"] = f"{query[:_CUT_QUERY_CHARACTERS]} …[truncated: {len(query)} characters]"
        value = orjson.dumps(document)
    return value


def headers(event: AuditEvent, traceparent: str | None) -> list[tuple[str, bytes]]:
    """Make the record's headers: the CloudEvents attributes, and the W3C ``traceparent`` where there is one."""
    attributes = [
        ("ce_specversion", "1.0"),
        ("ce_id", event.event_id),
        ("ce_type", event.event_type.value),
        ("ce_source", f"/sluice/{quote(event.metadata.service, safe='')}"),
        ("ce_time", _rfc3339(event.timestamp)),
        ("content-type", "application/json"),
    ]
    if traceparent is not None:
        attributes.append(("traceparent", traceparent))
    return [(name, text.encode("ascii", "replace")) for name, text in attributes]


def _document(event: AuditEvent) -> dict[str, Any]:
    data, metadata = event.data, event.metadata
    return {
        "event_id": event.event_id,
        "event_type": event.event_type.value,
        "schema_version": SCHEMA_VERSION,
        "timestamp": _rfc3339(event.timestamp),
        "user_id": _clip(event.user_id, 256),
        "data": {
            "query": _clip(data.query, None),
            "index": _clip(data.index, 255),
            "dsl": data.dsl,
            "hits": data.hits,
            "took_ms": data.took_ms,
            "status": data.status,
            "error": data.error and {"code": _clip(data.error.code, 64), "message": _clip(data.error.message, 8191)},
        },
        "metadata": {
            "request_id": _clip(metadata.request_id, 128),
            "trace_id": metadata.trace_id,
            "client_ip": metadata.client_ip,
            "user_agent": _clip(metadata.user_agent, 1024),
            "auth_scheme": _clip(metadata.auth_scheme, 64),
            "service": _clip(metadata.service, 64),
            "service_version": _clip(metadata.service_version, 64),
        },
    }


def _clip(text: str | None, characters: int | None) -> str | None:
    """Cut at a length, and replace lone surrogates, which UTF-8 does not have."""
    return None if text is None else text[:characters].encode("utf-8", "replace").decode("utf-8")


def _rfc3339(timestamp: datetime) -> str:
    if timestamp.tzinfo is None:
        raise ValueError("an event's timestamp needs a time zone")
    return timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{timestamp.microsecond // 1000:03d}Z"
