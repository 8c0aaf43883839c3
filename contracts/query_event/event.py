"""The audit event: the contract between the gateway, which produces it, and the audit sink, which indexes it.

These types are its one description; ``schema/query-event.v1.json`` says the same for other programs, and ``examples/``
has golden events. Optional members and new types of events may be added without a new version: a reader ignores members
and keeps events of types that it does not know. A record is one event in
CloudEvents 1.0 Kafka binary mode: this JSON object as its value, the CloudEvents attributes as its headers
(https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md).
"""

# pylint: disable=too-few-public-methods  # types that only carry data, as dataclasses do

from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import quote

import msgspec
import orjson
import uuid_utils
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

SCHEMA_VERSION: Final = 1

MAX_EVENT_BYTES = 512 * 1024
"""No encoded event is longer, so that a record always passes the topic's ``max.message.bytes``."""

# Even if each of these characters takes six bytes (\u0000), an event without its dsl stays below MAX_EVENT_BYTES.
_CUT_QUERY_CHARACTERS = 65_536

NO_DSL = Raw(b"null")

MAX_TARGET_IDS = 100
MAX_DOCUMENT_ID_CHARACTERS = 128

_Name = Annotated[str, Meta(min_length=1, max_length=64)]
_DocumentId = Annotated[str, Meta(min_length=1, max_length=MAX_DOCUMENT_ID_CHARACTERS)]


class EventType(StrEnum):
    """Types of events that this version writes."""

    QUERY_EXECUTED = "query.executed"
    QUERY_REJECTED = "query.rejected"
    QUERY_DENIED = "query.denied"
    QUERY_FAILED = "query.failed"
    QUERY_THROTTLED = "query.throttled"
    AUTH_SUCCEEDED = "auth.succeeded"
    AUTH_FAILED = "auth.failed"
    AUTH_THROTTLED = "auth.throttled"
    ADMIN_CHANGED = "admin.changed"
    INVENTORY_READ = "inventory.read"
    INVENTORY_CHANGED = "inventory.changed"
    INVENTORY_DENIED = "inventory.denied"
    SAVED_CHANGED = "saved.changed"


# gc=False: no member can refer back to its owner, so the collector need not follow hundreds of thousands of them.
class EventError(Struct, gc=False):
    """Error of a request: a problem's ``code`` and its sentence."""

    code: _Name
    message: Annotated[str, Meta(max_length=8191)]


class EventTarget(Struct, gc=False):
    """Thing that a request is about, such as a document of the inventory; or its type alone.

    ``id`` is a list where several documents were read. ``changed`` has the JSON pointers of the members that a change
    changed; "" is the whole document.
    """

    type: Annotated[str, Meta(min_length=1, max_length=128)]
    id: _DocumentId | Annotated[list[_DocumentId], Meta(max_length=MAX_TARGET_IDS)] | None = None
    version: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None
    changed: Annotated[list[str], Meta(max_length=100)] | None = None


class EventData(Struct, gc=False):
    """Question and answer of a request; a member that does not apply is None.

    ``dsl`` is JSON, an object or null. ``hits`` and ``took_ms`` (milliseconds) are None for streams and wherever
    nothing was searched; ``query``, ``index`` and ``dsl`` are None for authentication, except that ``query`` says what
    an operator has changed. ``status`` is the HTTP status of the answer, and 200 for a command. ``target`` is None
    except for the inventory, single documents and the history.
    """

    query: str | None
    index: Annotated[str, Meta(min_length=1, max_length=255)] | None
    dsl: Raw
    hits: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None
    took_ms: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None
    status: Annotated[int, Meta(ge=100, le=599)]
    error: EventError | None
    target: EventTarget | None = None


class EventMetadata(Struct, gc=False):
    """Origin of a request.

    ``trace_id`` is the W3C trace-id (32 hexadecimal digits), ``client_ip`` an IPv4 or IPv6 address without a zone,
    ``auth_scheme`` a short name for how the caller was identified. Never a credential. ``reader`` checks the first two.
    """

    request_id: Annotated[str, Meta(min_length=1, max_length=128)]
    trace_id: str | None
    client_ip: str | None
    user_agent: Annotated[str, Meta(max_length=1024)] | None
    auth_scheme: _Name | None
    service: _Name
    service_version: _Name


class AuditEvent(Struct, gc=False):
    """Event of one request; ``user_id`` is None for an unknown caller, ``timestamp`` as of ``rfc3339``.

    ``reader`` checks ``event_id``, ``timestamp`` and the words of ``event_type``: a third of the time of reading would
    go into patterns of types.
    """

    event_id: str
    event_type: Annotated[str, Meta(max_length=64)]
    schema_version: Literal[1]
    timestamp: str
    user_id: Annotated[str, Meta(min_length=1, max_length=256)] | None
    data: EventData
    metadata: EventMetadata


_Member = TypeVar("_Member", bound=Struct)


def new_event_id() -> str:
    """Mint an event's id: a UUIDv7 (RFC 9562), so ids sort by the time they were made."""
    return str(uuid_utils.uuid7())


def rfc3339(timestamp: datetime) -> str:
    """Write a time as an event has it: in UTC, with milliseconds.

    Raises:
        ValueError: the timestamp has no time zone.
    """
    if timestamp.tzinfo is None:
        raise ValueError("an event's timestamp needs a time zone")
    return timestamp.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def write_dsl(dsl: dict[str, Any] | None) -> Raw:
    """Write Query DSL as an event has it; its mark if it is nested too deeply, or has a value that JSON has not."""
    try:
        return Raw(orjson.dumps(dsl))
    except orjson.JSONEncodeError:
        return _mark(None)


def encode(event: AuditEvent) -> bytes:
    """Make the record's value: one JSON object in UTF-8 of at most ``MAX_EVENT_BYTES``.

    Long texts are cut rather than refused, because a request must not escape the trail by its size: first ``dsl``
    is replaced by its mark, then ``query`` is shortened and marked (the schema describes both marks). Other texts are
    cut at their types' lengths.
    """
    data = _clipped(event.data)
    if data.error is not None:
        data.error = _clipped(data.error)
    event = replace(_clipped(event), data=data, metadata=_clipped(event.metadata))
    value = msgspec.json.encode(event)
    length = len(bytes(data.dsl))
    if len(value) > MAX_EVENT_BYTES and length > len(bytes(NO_DSL)):
        data.dsl = _mark(length)
        value = msgspec.json.encode(event)
    if len(value) > MAX_EVENT_BYTES and data.query is not None:
        data.query = f"{data.query[:_CUT_QUERY_CHARACTERS]} …[truncated: {len(data.query)} characters]"
        value = msgspec.json.encode(event)
    return value


def headers(event: AuditEvent, traceparent: str | None) -> list[tuple[str, bytes]]:
    """Make the record's headers: the CloudEvents attributes, and the W3C ``traceparent`` where there is one."""
    attributes = [
        ("ce_specversion", "1.0"),
        ("ce_id", event.event_id),
        ("ce_type", event.event_type),
        ("ce_source", f"/sluice/{quote(event.metadata.service, safe='')}"),
        ("ce_time", event.timestamp),
        ("content-type", "application/json"),
    ]
    if traceparent is not None:
        attributes.append(("traceparent", traceparent))
    return [(name, text.encode("ascii", "replace")) for name, text in attributes]


def _mark(length: int | None) -> Raw:
    return Raw(orjson.dumps({"truncated": True, "bytes": length}))


def _clipped(member: _Member) -> _Member:
    """Copy a member with its texts cut at their types' lengths, and lone surrogates replaced, which UTF-8 lacks."""
    texts = [(name, getattr(member, name), limit) for name, limit in _text_limits(type(member))]
    cut = {
        name: text[:limit].encode("utf-8", "replace").decode("utf-8")
        for name, text, limit in texts
        # Nearly all texts are as they may be.
        if text is not None and not (text.isascii() and (limit is None or len(text) <= limit))
    }
    return replace(member, **cut)


@cache
def _text_limits(member: type[Struct]) -> list[tuple[str, int | None]]:
    """The names of a type's texts, and how many characters each may have."""
    described = msgspec.inspect.type_info(member)
    assert isinstance(described, msgspec.inspect.StructType)
    limits = []
    for field in described.fields:
        types = field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
        limits += [(field.name, kind.max_length) for kind in types if isinstance(kind, msgspec.inspect.StrType)]
    return limits
