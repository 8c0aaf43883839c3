"""Invalid records, and the reasons; the same words for every contract."""

import re
from enum import StrEnum

import msgspec
import orjson


class InvalidReason(StrEnum):
    """Reasons why bytes are no message: a closed list, for a metric's label."""

    TOMBSTONE = "tombstone"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    UNKNOWN_SCHEMA_VERSION = "unknown_schema_version"
    SCHEMA = "schema"


class InvalidRecord(Exception):
    """Bytes that are no message of a known version. Permanent: reading them again gives the same answer.

    Attributes:
        reason: which kind of thing is wrong.
        detail: what exactly, and where; holds nothing of the message's own content.
    """

    def __init__(self, reason: InvalidReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


_is_id = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch
_is_timestamp = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z").fullmatch


class _Versioned(msgspec.Struct):  # pylint: disable=too-few-public-methods  # it is data
    schema_version: int


_read_version = msgspec.json.Decoder(_Versioned).decode


def require_value(value: bytes | None, limit: int, name: str) -> bytes:
    """The value of a record that has one within its limit.

    Args:
        value: the record's.
        limit: bytes that a message has at most.
        name: the message in words, such as ``an event``.

    Raises:
        InvalidRecord: the value is missing or too long.
    """
    if value is None:
        raise InvalidRecord(InvalidReason.TOMBSTONE, "the record has no value")
    if len(value) > limit:
        raise InvalidRecord(InvalidReason.TOO_LARGE, f"{len(value)} bytes, and {name} has at most {limit}")
    return value


def require_id(text: str, path: str) -> None:
    """Refuse an id that is no UUIDv7 in lower case (RFC 9562).

    Args:
        text: the id.
        path: where it is in the message.

    Raises:
        InvalidRecord: it is invalid.
    """
    if not _is_id(text):
        raise InvalidRecord(InvalidReason.SCHEMA, f"{path}: Expected a UUIDv7 in lower case")


def require_timestamp(text: str, path: str) -> None:
    """Refuse a time that is not written as RFC 3339 in UTC with milliseconds.

    Args:
        text: the time.
        path: where it is in the message.

    Raises:
        InvalidRecord: it is not.
    """
    if not _is_timestamp(text):
        raise InvalidRecord(InvalidReason.SCHEMA, f"{path}: Expected RFC 3339 in UTC with milliseconds")


def explain(value: bytes, error: Exception, version: int, name: str) -> InvalidRecord:
    """Say why a value could not be read.

    Args:
        value: the record's.
        error: the decoder's, which does not tell bytes that are no JSON from JSON of another shape.
        version: the ``schema_version`` that a message must have.
        name: the message in words, such as ``the event``.
    """
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError as fault:
        return InvalidRecord(InvalidReason.NOT_JSON, f"{fault.msg} at byte {fault.pos}")
    try:
        found = _read_version(value).schema_version
    except RecursionError:
        return InvalidRecord(InvalidReason.NOT_JSON, "the value is nested too deeply")
    except msgspec.DecodeError:
        found = None
    if found != version:
        return InvalidRecord(InvalidReason.UNKNOWN_SCHEMA_VERSION, f"the value has no schema_version among: {version}")
    what, _, where = str(error).partition(" - at `$")
    return InvalidRecord(InvalidReason.SCHEMA, f"{where.strip('.`') or name}: {_without_content(what)}")


def _without_content(message: str) -> str:
    """Leave out the value that a message quotes."""
    return "Invalid enum value" if message.startswith("Invalid enum value") else message
