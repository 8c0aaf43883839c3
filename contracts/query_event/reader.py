"""Reader of a record's value as an event.

Checking while reading is several times faster than reading first and checking the result. Members that the types do not
have are ignored, so that a newer gateway may be deployed before the sink is. ``dsl`` is never taken apart: it goes into
the document as it came.
"""

import ipaddress
import re
from functools import lru_cache

import msgspec

from contracts.invalid import InvalidReason, InvalidRecord, explain, require_value
from contracts.query_event.event import MAX_EVENT_BYTES, SCHEMA_VERSION, AuditEvent
from contracts.raw_json import one_line

_is_id = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch
_is_timestamp = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z").fullmatch

_read_event = msgspec.json.Decoder(AuditEvent).decode


def decode(value: bytes | None) -> AuditEvent:
    """Read a record's value.

    Raises:
        InvalidRecord: the value is missing, too long, no JSON, of an unknown version, or not as the schema says.
    """
    value = require_value(value, MAX_EVENT_BYTES, "an event")
    try:
        event = _read_event(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise explain(value, error, SCHEMA_VERSION, "the event") from None
    if not _is_id(event.event_id):
        raise InvalidRecord(InvalidReason.SCHEMA, "event_id: Expected a UUIDv7 in lower case")
    if not _is_timestamp(event.timestamp):
        raise InvalidRecord(InvalidReason.SCHEMA, "timestamp: Expected RFC 3339 in UTC with milliseconds")
    address = event.metadata.client_ip
    if address is not None and not _is_address(address):
        raise InvalidRecord(InvalidReason.SCHEMA, "metadata.client_ip: Expected an IPv4 or IPv6 address")
    event.data.dsl = one_line(event.data.dsl, "data.dsl")
    return event


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
