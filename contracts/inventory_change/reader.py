"""Reader of a record's value as a change.

Checking while reading is several times faster than reading first and checking the result. Members that the types do not
have are ignored, so that a newer relay may be deployed before its readers are. Documents are never taken apart: they go
into Elasticsearch as they came.
"""

import re

import msgspec

from contracts.invalid import InvalidReason, InvalidRecord, explain, require_value
from contracts.inventory_change.change import MAX_CHANGE_BYTES, SCHEMA_VERSION, InventoryChange
from contracts.raw_json import one_line

_is_id = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch
_is_timestamp = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z").fullmatch

_read_change = msgspec.json.Decoder(InventoryChange).decode


def decode(value: bytes | None) -> InventoryChange:
    """Read a record's value.

    Raises:
        InvalidRecord: the value is missing, too long, no JSON, of an unknown version, or not as the schema says.
    """
    value = require_value(value, MAX_CHANGE_BYTES, "a change")
    try:
        change = _read_change(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise explain(value, error, SCHEMA_VERSION, "the change") from None
    if not _is_id(change.change_id):
        raise InvalidRecord(InvalidReason.SCHEMA, "change_id: Expected a UUIDv7 in lower case")
    if not _is_timestamp(change.at):
        raise InvalidRecord(InvalidReason.SCHEMA, "at: Expected RFC 3339 in UTC with milliseconds")
    change.document = one_line(change.document, "document")
    for number, entry in enumerate(change.documents):
        entry.document = one_line(entry.document, f"documents[{number}].document")
    return change
