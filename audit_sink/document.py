"""The finished document of an event, and the lines of a bulk body that create it."""

# pylint: disable=too-few-public-methods  # types that only carry data, as dataclasses do

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from contracts.query_event.daily_index import daily_index
from contracts.query_event.event import AuditEvent, EventError, EventTarget
from indexing.projection import Place

_NS_PER_MS = 1_000_000


class _EventFields(Struct, gc=False):
    id: str
    action: str
    outcome: str
    duration: int | None
    """Nanoseconds."""


class _Id(Struct, gc=False):
    id: str | None


class _Name(Struct, gc=False):
    name: str | None


class _Ip(Struct, gc=False):
    ip: str | None


class _Original(Struct, gc=False):
    original: str | None


class _StatusCode(Struct, gc=False):
    status_code: int


class _Http(Struct, gc=False):
    request: _Id
    response: _StatusCode


class _Coordinates(Struct, gc=False):
    partition: int
    offset: int


class _Sluice(Struct, gc=False):
    query: str | None
    index: str | None
    auth_scheme: str | None
    hits: int | None
    dsl: Raw
    kafka: _Coordinates
    target: EventTarget | UnsetType = UNSET


class Document(Struct, gc=False, rename={"timestamp": "@timestamp"}):  # pylint: disable=too-many-instance-attributes
    """A finished document: ECS field names (https://www.elastic.co/docs/reference/ecs), ours under ``sluice``."""

    timestamp: str
    event: _EventFields
    user: _Name
    source: _Ip
    user_agent: _Original
    http: _Http
    trace: _Id
    sluice: _Sluice
    error: EventError | UnsetType = UNSET


_write = msgspec.json.Encoder().encode


def document(event: AuditEvent, partition: int, offset: int) -> Document:
    """Make an event's document.

    Args:
        event: what happened.
        partition: where the event's record is in the topic; so an auditor finds the original.
        offset: likewise.
    """
    data, metadata = event.data, event.metadata
    action, took_ms = event.event_type, data.took_ms
    return Document(
        event.timestamp,
        _EventFields(
            event.event_id,
            action,
            "success" if data.error is None else "failure",
            None if took_ms is None else took_ms * _NS_PER_MS,
        ),
        _Name(event.user_id),
        _Ip(metadata.client_ip),
        _Original(metadata.user_agent),
        _Http(_Id(metadata.request_id), _StatusCode(data.status)),
        _Id(metadata.trace_id),
        _Sluice(
            data.query,
            data.index,
            metadata.auth_scheme,
            data.hits,
            data.dsl,
            _Coordinates(partition, offset),
            UNSET if data.target is None else data.target,
        ),
        UNSET if data.error is None else data.error,
    )


def bulk_lines(event: AuditEvent, place: Place, index_prefix: str) -> bytes:
    """Make the two lines that create an event's document in a bulk body; ``_id`` is the event's id.

    Args:
        event: what happened.
        place: the event's record in the topic.
        index_prefix: what the index's name starts with.
    """
    index = daily_index(index_prefix, event.timestamp, place.timestamp_ms)
    action = f'{{"create":{{"_index":"{index}","_id":"{event.event_id}"}}}}\n'
    return action.encode() + _write(document(event, place.partition, place.offset)) + b"\n"
