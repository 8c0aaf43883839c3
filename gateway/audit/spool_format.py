"""Format of a spool file: each event is a frame of marker, length and checksum around the record for Kafka."""

import struct
import zlib
from typing import NamedTuple

import orjson

from contracts.query_event.event import MAX_EVENT_BYTES

# The byte 0xFF never occurs in UTF-8, so nothing that a caller sends can look like the beginning of a frame.
_MARKER = b"\xff\xfeSPL1"
_LENGTH_AND_CHECKSUM = struct.Struct(">II")
_HEAD_BYTES = len(_MARKER) + _LENGTH_AND_CHECKSUM.size

MAX_FRAME_BYTES = MAX_EVENT_BYTES + 4 * 1024
"""No event takes more: what stands beside its value is an id, a user's name and a few short headers."""


class Record(NamedTuple):
    """One event as Kafka is given it; ``key`` is the user's name, None for a caller who is not known."""

    event_id: str
    key: str | None
    value: bytes
    headers: list[tuple[str, bytes]]


class Contents(NamedTuple):
    """Contents of a file: the records in the order in which they were written, and the number of damaged bytes."""

    records: list[Record]
    damaged_bytes: int


def frame(record: Record) -> bytes:
    """Write a record down, as it goes to a file."""
    headers = [(name, value.decode("ascii")) for name, value in record.headers]
    # Compact JSON has no line break, so the first one ends the part that describes the value.
    payload = orjson.dumps([record.event_id, record.key, headers]) + b"\n" + record.value
    return _MARKER + _LENGTH_AND_CHECKSUM.pack(len(payload), zlib.crc32(payload)) + payload


def unframe(data: bytes) -> Contents:
    """Find the records in a file's content.

    A crash may leave the file's end torn, a bad disk a hole in it: what is damaged is passed over up to the next whole
    record, and its bytes are counted.
    """
    records = []
    whole = end = 0
    while (start := data.find(_MARKER, end)) >= 0:
        payload = _payload(data, start)
        if payload is None:
            end = start + 1
        else:
            end = start + _HEAD_BYTES + len(payload)
            whole += end - start
            records.append(_record(payload))
    return Contents(records, len(data) - whole)


def _payload(data: bytes, start: int) -> bytes | None:
    """The payload of the frame that begins there; None if it is not whole."""
    head = start + len(_MARKER)
    if len(data) < start + _HEAD_BYTES:
        return None
    length, checksum = _LENGTH_AND_CHECKSUM.unpack_from(data, head)
    payload = data[start + _HEAD_BYTES : start + _HEAD_BYTES + length]
    return payload if len(payload) == length and zlib.crc32(payload) == checksum else None


def _record(payload: bytes) -> Record:
    description, _, value = payload.partition(b"\n")
    event_id, key, headers = orjson.loads(description)
    return Record(event_id, key, value, [(name, text.encode("ascii")) for name, text in headers])
