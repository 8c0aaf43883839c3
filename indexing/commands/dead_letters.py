"""`dead-letters list` and `dead-letters show`."""

import sys
from datetime import UTC, datetime

from confluent_kafka import Message

from indexing.dead_letter import PREFIX, StoredLetter, record_headers, stored_letter
from indexing.dead_letter_reader import DeadLetterReader
from indexing.program import Program
from kit.kafka import KafkaSettings
from kit.terminal import dump, printable

_MAX_SHOWN_BYTES = 8 * 1024
_MAX_TEXT = 1_000


def list_letters(program: Program, *, replayed: bool) -> int:
    """Print a line for each letter: where it is, where the original was, reason and detail.

    Args:
        program: whose letters.
        replayed: also those that a replay has read.
    """
    reader = _reader(program)
    for record in reader if replayed else reader.unreplayed():
        place = f"{record.partition()}:{record.offset()}"
        try:
            letter = stored_letter(record)
        except ValueError as error:
            print(f"{place}  not of the {program.member}'s making: {error}")
            continue
        original = f"{letter.topic} {letter.partition}:{letter.offset}"
        print(f"{place}  {_text(original)}  {_text(letter.reason)}  {_text(letter.detail)}")
    return 0


def show(program: Program, partition: int, offset: int) -> int:
    """Print one letter: coordinates, reason, headers, and the original's first bytes."""
    topic = program.names().dead_letter_topic
    record = _reader(program).at(partition, offset)
    if record is None:
        print(f"{program.package}: {topic} has no record at {partition}:{offset} (dead-letters list)", file=sys.stderr)
        return 1
    rows = [("dead letter", f"{topic} {partition}:{offset}")]
    try:
        rows += _about(stored_letter(record))
    except ValueError as error:
        rows.append(("reason", f"not of the {program.member}'s making: {error}"))
    for name, text in [*rows, *_contents(record)]:
        print(f"{name:<12} {text}".rstrip())
    return 0


def _about(letter: StoredLetter) -> list[tuple[str, str]]:
    arrived = datetime.fromtimestamp(letter.timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return [
        ("original", _text(f"{letter.topic} {letter.partition}:{letter.offset}, {arrived}")),
        ("reason", _text(letter.reason)),
        ("detail", _text(letter.detail)),
    ]


def _contents(record: Message) -> list[tuple[str, str]]:
    key, value = record.key(), record.value()
    rows = [("key", "none" if key is None else _shown(key))]
    for name, content in record_headers(record):
        if not name.startswith(PREFIX):
            rows.append(("header", f"{_text(name)}: {'none' if content is None else _shown(content)}"))
    if value is None:
        return [*rows, ("value", "none")]
    return [*rows, ("value", f"{len(value)} bytes\n{_shown(value)}")]


def _text(text: str) -> str:
    return printable(text[:_MAX_TEXT])


def _shown(content: bytes) -> str:
    if len(content) <= _MAX_SHOWN_BYTES:
        return dump(content)
    return f"{dump(content[:_MAX_SHOWN_BYTES])}\n… and {len(content) - _MAX_SHOWN_BYTES} bytes more"


def _reader(program: Program) -> DeadLetterReader:
    return DeadLetterReader(KafkaSettings.load(), program.names().dead_letter_topic, program.consumer)
