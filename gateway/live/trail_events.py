"""Events of the audit trail as a tail shows them: shortened, as many of them are on their way at once."""

from typing import Any

import orjson
from confluent_kafka import Message

from contracts.invalid import InvalidRecord
from contracts.query_event.event import AuditEvent
from contracts.query_event.reader import decode
from gateway.live.trail import TrailEvent

_MAX_QUERY_CHARACTERS = 500
_MAX_MESSAGE_CHARACTERS = 200


def read_trail_event(record: Message) -> TrailEvent:
    """Read a record of the trail; one that is no event is shown too, as what it is."""
    partition, offset = record.partition(), record.offset()
    assert partition is not None and offset is not None, "a record that was read has a place"
    place = {"partition": partition, "offset": offset}
    try:
        event = decode(record.value())
    except InvalidRecord as error:
        shown = orjson.dumps({**place, "invalid": error.reason})
        return TrailEvent(partition, offset, None, "", "", shown)
    query = (event.data.query or "")[:_MAX_QUERY_CHARACTERS]
    shown = orjson.dumps({**place, **_members(event, query)})
    return TrailEvent(partition, offset, event.user_id, event.event_type, query.lower(), shown)


def _members(event: AuditEvent, query: str) -> dict[str, Any]:
    data, error, target = event.data, event.data.error, event.data.target
    return {
        "id": event.event_id,
        "type": event.event_type,
        "at": event.timestamp,
        "user": event.user_id,
        "query": None if data.query is None else query,
        "index": data.index,
        "hits": data.hits,
        "took_ms": data.took_ms,
        "status": data.status,
        "error": None if error is None else {"code": error.code, "message": error.message[:_MAX_MESSAGE_CHARACTERS]},
        "target": None
        if target is None
        else {"type": target.type, "id": target.id if isinstance(target.id, str) else None},
        "client_ip": event.metadata.client_ip,
    }
