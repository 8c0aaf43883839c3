"""Reader of a record's value as an event.

Checking while reading is several times faster than reading first and checking the result. Members that the types do not
have are ignored, so that a newer gateway may be deployed before the sink is. ``dsl`` is never taken apart: it goes into
the document as it came.
"""

# pylint: disable=too-few-public-methods  # types that only carry data, as dataclasses do

import ipaddress
import re
from enum import StrEnum
from functools import lru_cache

import msgspec
import orjson
from msgspec import Raw, Struct

from contracts.query_event.event import MAX_EVENT_BYTES, NO_DSL, SCHEMA_VERSION, AuditEvent


class InvalidReason(StrEnum):
    """Reasons why bytes are not an event; a closed list, fit for a metric's label."""

    TOMBSTONE = "tombstone"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    UNKNOWN_SCHEMA_VERSION = "unknown_schema_version"
    SCHEMA = "schema"


class InvalidEvent(Exception):
    """Bytes that are no event of a known version. Permanent: reading them again gives the same answer.

    Attributes:
        reason: which kind of thing is wrong.
        detail: what exactly, and where; holds nothing of the event's own content.
    """

    def __init__(self, reason: InvalidReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


_is_id = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch
_is_timestamp = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z").fullmatch

# A byte is found in bytes several times faster by its number.
_BRACE, _BACKSLASH, _NEWLINE = b"{\\\n"


class _Versioned(Struct):
    schema_version: int


_NULL = bytes(NO_DSL)
_read_event = msgspec.json.Decoder(AuditEvent).decode
_read_version = msgspec.json.Decoder(_Versioned).decode


def decode(value: bytes | None) -> AuditEvent:
    """Read a record's value.

    Raises:
        InvalidEvent: the value is missing, too long, no JSON, of an unknown version, or not as the schema says.
    """
    if value is None:
        raise InvalidEvent(InvalidReason.TOMBSTONE, "the record has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise InvalidEvent(InvalidReason.TOO_LARGE, f"{len(value)} bytes, and an event has at most {MAX_EVENT_BYTES}")
    try:
        event = _read_event(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _complaint(value, error) from None
    if not _is_id(event.event_id):
        raise InvalidEvent(InvalidReason.SCHEMA, "event_id: Expected a UUIDv7 in lower case")
    if not _is_timestamp(event.timestamp):
        raise InvalidEvent(InvalidReason.SCHEMA, "timestamp: Expected RFC 3339 in UTC with milliseconds")
    address = event.metadata.client_ip
    if address is not None and not _is_address(address):
        raise InvalidEvent(InvalidReason.SCHEMA, "metadata.client_ip: Expected an IPv4 or IPv6 address")
    dsl = bytes(event.data.dsl)
    if dsl[0] != _BRACE and dsl != _NULL:
        raise InvalidEvent(InvalidReason.SCHEMA, "data.dsl: Expected `object | null`")
    if not dsl.isascii() or _BACKSLASH in dsl:
        _check_unicode(dsl)
    if _NEWLINE in dsl:  # a line ends a document in a bulk body
        event.data.dsl = _on_one_line(dsl)
    return event


def _check_unicode(dsl: bytes) -> None:
    """Refuse bytes that are no UTF-8, and halves of surrogate pairs: the decoder has passed over them."""
    try:
        orjson.loads(dsl)
    except orjson.JSONDecodeError as error:
        raise InvalidEvent(InvalidReason.NOT_JSON, f"{error.msg}, in data.dsl at byte {error.pos}") from None


def _on_one_line(dsl: bytes) -> Raw:
    try:
        return Raw(msgspec.json.format(dsl, indent=-1))
    except RecursionError:
        raise InvalidEvent(InvalidReason.NOT_JSON, "data.dsl is nested too deeply") from None


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _complaint(value: bytes, error: Exception) -> InvalidEvent:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError as fault:
        return InvalidEvent(InvalidReason.NOT_JSON, f"{fault.msg} at byte {fault.pos}")
    try:
        version = _read_version(value).schema_version
    except RecursionError:
        return InvalidEvent(InvalidReason.NOT_JSON, "the value is nested too deeply")
    except msgspec.DecodeError:
        version = None
    if version != SCHEMA_VERSION:
        return InvalidEvent(
            InvalidReason.UNKNOWN_SCHEMA_VERSION, f"the value has no schema_version among: {SCHEMA_VERSION}"
        )
    what, _, where = str(error).partition(" - at `$")
    return InvalidEvent(InvalidReason.SCHEMA, f"{where.strip('.`') or 'the event'}: {_without_content(what)}")


def _without_content(message: str) -> str:
    """Leave out the value that a message quotes."""
    return "Invalid enum value" if message.startswith("Invalid enum value") else message
