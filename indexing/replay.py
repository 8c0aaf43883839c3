"""Replay of dead letters whose record can be indexed by now.

Why: documents are created in Elasticsearch directly, with the original id, partition, offset and Kafka timestamp. So
the index is the same as the first time, and an existing document is a 409. Producing to the topic again would give
another timestamp, which could choose another day's index, where the id would no longer prevent a double. Dead letters
stay in their topic until its retention ends.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from elastic.exchange import ElasticsearchExchange
from indexing.bulk_writer import send
from indexing.dead_letter import StoredLetter, stored_letter
from indexing.outcomes import Failure, Outcome, classify_item, describe
from indexing.projection import Place, Projection, Unreadable

_LETTERS_PER_BULK = 200
REFUSED_AGAIN = "refused again"
"""Outcome of a letter whose record Elasticsearch has refused once more."""


class ReplayStopped(Exception):
    """Elasticsearch takes nothing at the moment; what was sent before stays."""


@dataclass(slots=True)
class Tally:
    """Account of the letters read so far, and why some stay dead."""

    read: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    still_dead: list[str] = field(default_factory=list)


def replay(letters: Iterable[Message], elasticsearch: ElasticsearchExchange, projection: Projection) -> Iterator[Tally]:
    """Index dead letters by the very operations that their records would have had in the first place.

    So a replay may be repeated, and may overlap with anything: what has been done already is left alone. The dead
    letters themselves stay in their topic until its retention ends.

    Args:
        letters: the records of the dead-letter topic.
        elasticsearch: ElasticsearchExchange, without retries of its own.
        projection: of the topic that the letters come from.

    Yields:
        the tally after each bulk request, always the same object.

    Raises:
        ReplayStopped: Elasticsearch is down, or refuses for a reason that is not the document's.
    """
    tally = Tally()
    records = iter(letters)
    while chunk := list(islice(records, _LETTERS_PER_BULK)):
        tally.read += len(chunk)
        operations: list[bytes] = []
        sent: list[StoredLetter] = []
        for record in chunk:
            try:
                letter = stored_letter(record)
                made = _operations(letter, projection)
            except (Unreadable, ValueError) as error:
                _stays_dead(tally, "unreadable", f"offset {record.offset()}: {error}")
                continue
            if not made:
                tally.outcomes["nothing to index"] += 1
            operations += made
            sent += [letter] * len(made)
        _index(tally, elasticsearch, operations, sent, projection.name)
        yield tally


def _operations(letter: StoredLetter, projection: Projection) -> Sequence[bytes]:
    if letter.is_cut:
        raise ValueError("only its beginning is kept here; the original is at its coordinates while that lasts")
    record = Message(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        key=letter.key,
        value=letter.value,
        headers=[*letter.headers],
        timestamp=(TIMESTAMP_LOG_APPEND_TIME, letter.timestamp_ms),
    )
    return projection.operations(record, Place(letter.partition, letter.offset, letter.timestamp_ms))


def _index(
    tally: Tally,
    elasticsearch: ElasticsearchExchange,
    operations: list[bytes],
    letters: list[StoredLetter],
    consumer: str,
) -> None:
    items = send(elasticsearch, operations, consumer)
    if isinstance(items, Failure):
        if items.outcome is not Outcome.SPLIT:
            raise ReplayStopped(items.detail)
        if len(operations) > 1:
            middle = len(operations) // 2
            _index(tally, elasticsearch, operations[:middle], letters[:middle], consumer)
            _index(tally, elasticsearch, operations[middle:], letters[middle:], consumer)
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
            _stays_dead(tally, REFUSED_AGAIN, f"{place}: {describe(error)}")
        else:
            raise ReplayStopped(describe(error))


def _stays_dead(tally: Tally, outcome: str, why: str) -> None:
    tally.outcomes[outcome] += 1
    if len(tally.still_dead) < 10:
        tally.still_dead.append(why)
