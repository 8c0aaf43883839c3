"""Reader of a record's value as a change.

Checking while reading is several times faster than reading first and checking the result. Members that the types do not
have are ignored, so that a newer relay may be deployed before its readers are. Documents are never taken apart: they go
into Elasticsearch as they came.
"""

import msgspec

from contracts.invalid import explain, require_id, require_timestamp, require_value
from contracts.inventory_change.change import MAX_CHANGE_BYTES, SCHEMA_VERSION, InventoryChange
from contracts.raw_json import one_line

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
    require_id(change.change_id, "change_id")
    require_timestamp(change.at, "at")
    change.document = one_line(change.document, "document")
    for number, entry in enumerate(change.documents):
        entry.document = one_line(entry.document, f"documents[{number}].document")
    return change
