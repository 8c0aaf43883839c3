"""Envelope of a dead letter: the original bytes, with the original coordinates and the reason in headers.

``kcat -C -t TOPIC.dlq -f '%h\\n%s\\n'`` reads it as it is.
"""

from dataclasses import dataclass

from confluent_kafka import Message

from indexing.batch import DeadLetter

MAX_VALUE_BYTES = 1024 * 1024
"""A longer original is cut, so that its envelope fits; its coordinates still say where the whole of it is."""

MAX_ENVELOPE_BYTES = 2 * 1024 * 1024
"""Largest record of the topic (``max.message.bytes``): the value, the key, the original headers and ours."""

_MAX_KEY_BYTES = 64 * 1024
_MAX_ORIGINAL_HEADERS_BYTES = 256 * 1024
_LATEST_MS = 253_402_300_799_999  # the end of the year 9999, and of Python's dates
PREFIX = "dead_letter_"
"""Prefix of the names of our headers; the original's headers stand beside them."""

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Record of the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class StoredLetter:  # pylint: disable=too-many-instance-attributes  # one for each header
    """A dead letter as it is read back.

    Attributes:
        topic: where the original was.
        partition: where the original was.
        offset: where the original was.
        timestamp_ms: the original's own Kafka timestamp, which chooses the index.
        reason: why it is dead, as a metric's label.
        detail: why it is dead, as a sentence.
        key: the original's.
        value: the original's.
        headers: the original's, as far as there was room for them.
        is_cut: whether the value is only the beginning of the original's.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    is_cut: bool


def envelope(letter: DeadLetter) -> Envelope:
    """Make a dead letter's envelope, of at most ``MAX_ENVELOPE_BYTES`` whatever the original was."""
    record = letter.record
    key, value = record.key(), record.value()
    ours = {
        "reason": letter.reason,
        "detail": letter.detail,
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "timestamp": record.timestamp()[1],
    }
    if value is not None and len(value) > MAX_VALUE_BYTES:
        ours["cut_from_bytes"] = len(value)
        value = value[:MAX_VALUE_BYTES]
    headers = _original_headers(record)
    headers += [(PREFIX + name, str(text).encode("utf-8", "replace")) for name, text in ours.items()]
    return Envelope(None if key is None else key[:_MAX_KEY_BYTES], value, headers)


def _original_headers(record: Message) -> Headers:
    kept: Headers = []
    room = _MAX_ORIGINAL_HEADERS_BYTES
    for name, content in record_headers(record):
        room -= len(name.encode()) + len(content or b"")
        if room < 0:
            break
        if not name.startswith(PREFIX):
            kept.append((name, content))
    return kept


def record_headers(record: Message) -> Headers:
    """Return a record's headers as pairs, in their order; empty if a name is not text, which the client cannot read."""
    try:
        headers = record.headers() or []
    except (SystemError, UnicodeError):
        return []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in pairs]


def stored_letter(record: Message) -> StoredLetter:
    """Read a record of the dead-letter topic.

    Raises:
        ValueError: it is not one that ``envelope`` made.
    """
    every = record_headers(record)
    headers = {name: value for name, value in every if name.startswith(PREFIX)}

    def text(name: str) -> str:
        value = headers.get(PREFIX + name)
        if value is None:
            raise ValueError(f"the record has no header {PREFIX}{name}")
        return value.decode("utf-8", "replace")

    def number(name: str, highest: int) -> int:
        value = int(text(name))
        if not -1 <= value <= highest:
            raise ValueError(f"the header {PREFIX}{name} is not between -1 and {highest}")
        return value

    return StoredLetter(
        topic=text("topic"),
        partition=number("partition", 2**31 - 1),
        offset=number("offset", 2**63 - 1),
        timestamp_ms=number("timestamp", _LATEST_MS),
        reason=text("reason"),
        detail=text("detail"),
        key=record.key(),
        value=record.value(),
        headers=[(name, value) for name, value in every if not name.startswith(PREFIX)],
        is_cut=PREFIX + "cut_from_bytes" in headers,
    )
