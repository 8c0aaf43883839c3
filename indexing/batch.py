"""Batches of records by count, bytes and age, each followed until every record in it is settled."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import Message

from indexing.offsets import OffsetTracker, Span
from indexing.projection import Place


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that will never be a document: why, as a metric's label and as a sentence."""

    record: Message
    reason: str
    detail: str

    @property
    def summary(self) -> str:
        """The reason and what the detail begins with: no more of it, since it may quote the record."""
        return f"{self.reason} ({self.detail.partition(':')[0]})"


@dataclass(eq=False, slots=True)
class Batch:
    """Records that are settled together.

    Attributes:
        spans: what the offset tracker is told once the batch is settled.
        oldest_ms: the earliest timestamp of its records, milliseconds since 1970.
        open: writes without a final answer plus dead letters without an acknowledgement; settled at zero.
        refused: partition and offset of records that have become dead letters for one of their operations.
    """

    spans: list[Span]
    oldest_ms: int
    open: int = 0
    refused: set[tuple[int, int]] = field(default_factory=set)


@dataclass(eq=False, slots=True)
class Write:
    """A bulk request's worth of a batch.

    Attributes:
        operations: each with its lines of the body, made once.
        records: the record that each operation was made of; one for each operation.
        letters: unreadable records of the batch; they share the verdict on the answer.
        attempt: tries that have failed so far.
    """

    batch: Batch
    operations: list[bytes]
    records: list[Message]
    letters: list[DeadLetter] = field(default_factory=list)
    attempt: int = 0

    def part(self, positions: list[int], letters: list[DeadLetter]) -> "Write":
        """Return a write of the operations at these positions, for another try."""
        operations, records = self.operations, self.records
        return Write(
            self.batch, [operations[i] for i in positions], [records[i] for i in positions], letters, self.attempt + 1
        )

    def halves(self) -> tuple["Write", "Write"]:
        """Two writes of about half the operations each; the first keeps the letters."""
        middle = len(self.operations) // 2
        return (
            Write(self.batch, self.operations[:middle], self.records[:middle], self.letters),
            Write(self.batch, self.operations[middle:], self.records[middle:]),
        )


def place_of(record: Message) -> tuple[int, int]:
    """Partition and offset of a record."""
    partition, offset = record.partition(), record.offset()
    assert partition is not None and offset is not None  # only events of the client itself have none
    return partition, offset


class BatchBuilder:  # pylint: disable=too-many-instance-attributes  # three limits, and what has come so far
    """Fills one batch at a time. Times are the caller's, in seconds of any steady clock.

    Args:
        max_records: a batch has no more records than this, nor operations, except for those of its last record.
        max_bytes: a batch is full once its body is as long as this; one record may exceed it.
        linger: seconds after its first record at which a batch is due even if it is not full.
    """

    def __init__(self, max_records: int, max_bytes: int, linger: float) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._linger = linger
        self._start()

    def _start(self) -> None:
        self._operations: list[bytes] = []
        self._records: list[Message] = []
        self._letters: list[DeadLetter] = []
        self._ends: dict[int, int] = {}
        self._count = 0
        self._bytes = 0
        self._oldest_ms = 0
        self._due = 0.0

    def __len__(self) -> int:
        return self._count

    @property
    def room(self) -> int:
        """Number of records that still fit by count."""
        return self._max_records - max(self._count, len(self._operations))

    @property
    def room_bytes(self) -> int:
        """Number of bytes that still fit into the body."""
        return max(0, self._max_bytes - self._bytes)

    @property
    def is_full(self) -> bool:
        """Whether the batch has all the records or bytes that it may have."""
        return self._bytes >= self._max_bytes or self.room <= 0

    def add(self, record: Message, operations: Sequence[bytes], place: Place, now: float) -> None:
        """Add a record and its operations; one without any is settled with the batch around it."""
        self._take(place, now)
        for operation in operations:
            self._operations.append(operation)
            self._records.append(record)
            self._bytes += len(operation)

    def reject(self, letter: DeadLetter, place: Place, now: float) -> None:
        """Add an unreadable record; its offset is settled with the batch around it."""
        self._take(place, now)
        self._letters.append(letter)
        self._bytes += len(letter.record.value() or b"")

    def _take(self, place: Place, now: float) -> None:
        partition, offset, timestamp_ms = place
        self._count += 1
        if not self._ends:
            self._due = now + self._linger
            self._oldest_ms = timestamp_ms
        elif timestamp_ms < self._oldest_ms:
            self._oldest_ms = timestamp_ms
        self._ends[partition] = offset + 1

    def seconds_until_due(self, now: float) -> float | None:
        """Seconds that the batch may still wait for more; None while it is empty."""
        return max(0.0, self._due - now) if self._ends else None

    def seal(self, tracker: OffsetTracker) -> Write:
        """Close the batch, tell the tracker of it, and begin the next one."""
        spans = [tracker.deliver(partition, end) for partition, end in self._ends.items()]
        batch = Batch(spans, self._oldest_ms, open=1)
        write = Write(batch, self._operations, self._records, self._letters)
        self._start()
        return write
