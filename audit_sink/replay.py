"""Replay of dead letters: those that can be read by now and have no document yet become one.

Why: documents are created in Elasticsearch directly, with the original id, partition, offset and Kafka timestamp. So
the index is the same as the first time, and an existing document is a 409. Producing to the topic again would give
another timestamp, which could choose another day's index, where the id would no longer prevent a double. Dead letters
stay in their topic until its retention ends.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from confluent_kafka import Message
from elasticsearch import Elasticsearch

from audit_sink.answers import Failure, Outcome, classify_item, describe
from audit_sink.dead_letter import StoredLetter, stored_letter
from audit_sink.decoder import InvalidEvent, decode
from audit_sink.document import bulk_lines
from audit_sink.writer import send

_EVENTS_PER_BULK = 200


class ReplayStopped(Exception):
    """Elasticsearch takes nothing at the moment; what was sent before stays."""


@dataclass(slots=True)
class Tally:
    """What became of the letters read so far, and why those that stay dead do."""

    read: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    still_dead: list[str] = field(default_factory=list)


def replay(letters: Iterable[Message], client: Elasticsearch, index_prefix: str) -> Iterator[Tally]:
    """Index dead letters with the very ids, indices and coordinates that they would have had in the first place.

    So a replay may be repeated, and may overlap with anything: what is a document already is left alone. The dead
    letters themselves stay in their topic until its retention ends.

    Args:
        letters: the records of the dead-letter topic.
        client: Elasticsearch, without retries of its own.
        index_prefix: what the indices' names start with.

    Yields:
        the tally after each bulk request, always the same object.

    Raises:
        ReplayStopped: Elasticsearch is down, or refuses for a reason that is not the document's.
    """
    tally = Tally()
    records = iter(letters)
    while chunk := list(islice(records, _EVENTS_PER_BULK)):
        tally.read += len(chunk)
        lines: list[bytes] = []
        sent: list[StoredLetter] = []
        for record in chunk:
            try:
                letter = stored_letter(record)
                lines.append(_lines(letter, index_prefix))
                sent.append(letter)
            except (InvalidEvent, ValueError) as error:
                _stays_dead(tally, "no event", f"offset {record.offset()}: {error}")
        _index(tally, client, lines, sent)
        yield tally


def _lines(letter: StoredLetter, index_prefix: str) -> bytes:
    if letter.is_cut:
        raise ValueError("only its beginning is kept here; the original is at its coordinates while that lasts")
    return bulk_lines(decode(letter.value), letter.partition, letter.offset, letter.timestamp_ms, index_prefix)


def _index(tally: Tally, client: Elasticsearch, lines: list[bytes], letters: list[StoredLetter]) -> None:
    items = send(client, lines)
    if isinstance(items, Failure):
        if items.outcome is not Outcome.SPLIT:
            raise ReplayStopped(items.detail)
        if len(lines) > 1:
            middle = len(lines) // 2
            _index(tally, client, lines[:middle], letters[:middle])
            _index(tally, client, lines[middle:], letters[middle:])
            return
        items = [(413, {"type": "too_large", "reason": items.detail})]
    for (status, error), letter in zip(items, letters, strict=True):
        outcome = classify_item(status, error)
        if outcome is Outcome.INDEXED:
            tally.outcomes["indexed"] += 1
        elif outcome is Outcome.DUPLICATE:
            tally.outcomes["documents already"] += 1
        elif outcome is Outcome.POISON:
            place = f"{letter.topic} {letter.partition}:{letter.offset}"
            _stays_dead(tally, "refused again", f"{place}: {describe(error)}")
        else:
            raise ReplayStopped(describe(error))


def _stays_dead(tally: Tally, outcome: str, why: str) -> None:
    tally.outcomes[outcome] += 1
    if len(tally.still_dead) < 10:
        tally.still_dead.append(why)
