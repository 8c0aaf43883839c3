"""Reader of a record's value as an event.

Checking while reading is several times faster than reading first and checking the result. Members that the types do not
have are ignored, so that a newer gateway may be deployed before the sink is. ``dsl`` is never taken apart: it goes into
the document as it came.
"""

import ipaddress
import re
from functools import lru_cache

import msgspec

from contracts.invalid import InvalidReason, InvalidRecord, explain, require_id, require_timestamp, require_value
from contracts.query_event.event import MAX_EVENT_BYTES, SCHEMA_VERSION, AuditEvent
from contracts.raw_json import one_line

_is_trace_id = re.compile(r"[0-9a-f]{32}").fullmatch
_is_two_words = re.compile(r"[a-z_]+\.[a-z_]+").fullmatch
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
    require_id(event.event_id, "event_id")
    require_timestamp(event.timestamp, "timestamp")
    if not _is_type(event.event_type):
        raise InvalidRecord(InvalidReason.SCHEMA, "event_type: Expected two words with a dot between them")
    trace_id, address = event.metadata.trace_id, event.metadata.client_ip
    if trace_id is not None and not _is_trace_id(trace_id):
        raise InvalidRecord(InvalidReason.SCHEMA, "metadata.trace_id: Expected 32 hexadecimal digits in lower case")
    if address is not None and not _is_address(address):
        raise InvalidRecord(InvalidReason.SCHEMA, "metadata.client_ip: Expected an IPv4 or IPv6 address")
    event.data.dsl = one_line(event.data.dsl, "data.dsl")
    return event


@lru_cache(maxsize=256)
def _is_type(text: str) -> bool:
    return _is_two_words(text) is not None


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
