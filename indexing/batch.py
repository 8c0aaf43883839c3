"""Gathers records into batches by count, bytes and age, and follows a batch until every event in it is settled."""

from dataclasses import dataclass, field

from confluent_kafka import Message

from indexing.offsets import OffsetTracker, Span


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that will never be a document: why, as a metric's label and as a sentence."""

    record: Message
    reason: str
    detail: str

    @property
    def summary(self) -> str:
        """The reason and what the detail begins with: no more of it, since it may quote what somebody searched for."""
        return f"{self.reason} ({self.detail.partition(':')[0]})"


@dataclass(eq=False, slots=True)
class Batch:
    """Events that are settled together.

    Attributes:
        spans: what the offset tracker is told once the batch is settled.
        oldest_ms: the earliest timestamp of its records, milliseconds since 1970.
        open: writes without a final answer plus dead letters without an acknowledgement; settled at zero.
    """

    spans: list[Span]
    oldest_ms: int
    open: int = 0


@dataclass(eq=False, slots=True)
class Write:
    """A bulk request's worth of a batch.

    Attributes:
        lines: each event's two lines of the body, made once.
        records: the records they were made of, in the same order.
        letters: records of the batch that are no events; they share the verdict on the answer.
        attempt: tries that have failed so far.
    """

    batch: Batch
    lines: list[bytes]
    records: list[Message]
    letters: list[DeadLetter] = field(default_factory=list)
    attempt: int = 0

    def part(self, positions: list[int], letters: list[DeadLetter]) -> "Write":
        """The same batch's events at these positions, for another try."""
        lines, records = self.lines, self.records
        return Write(
            self.batch, [lines[i] for i in positions], [records[i] for i in positions], letters, self.attempt + 1
        )

    def halves(self) -> tuple["Write", "Write"]:
        """Two writes of about half the events each; the first keeps the letters."""
        middle = len(self.lines) // 2
        return (
            Write(self.batch, self.lines[:middle], self.records[:middle], self.letters),
            Write(self.batch, self.lines[middle:], self.records[middle:]),
        )


class BatchBuilder:  # pylint: disable=too-many-instance-attributes  # three limits, and what has come so far
    """Fills one batch at a time. Times are the caller's, in seconds of any steady clock.

    Args:
        max_events: a batch has no more records than this.
        max_bytes: a batch is full once its body is as long as this; one event may exceed it.
        linger: seconds after its first record at which a batch is due even if it is not full.
    """

    def __init__(self, max_events: int, max_bytes: int, linger: float) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._linger = linger
        self._start()

    def _start(self) -> None:
        self._lines: list[bytes] = []
        self._records: list[Message] = []
        self._letters: list[DeadLetter] = []
        self._ends: dict[int, int] = {}
        self._bytes = 0
        self._oldest_ms = 0
        self._due = 0.0

    def __len__(self) -> int:
        return len(self._lines) + len(self._letters)

    @property
    def room(self) -> int:
        """How many records fit until the batch is full by count."""
        return self._max_events - len(self)

    @property
    def room_bytes(self) -> int:
        """How many bytes fit until the batch is full by its body."""
        return max(0, self._max_bytes - self._bytes)

    @property
    def is_full(self) -> bool:
        """Whether the batch has all the records or bytes that it may have."""
        return self._bytes >= self._max_bytes or self.room <= 0

    def add(self, record: Message, lines: bytes, coordinates: tuple[int, int, int], now: float) -> None:
        """Add an event: its record, its lines, and the record's partition, offset and timestamp (ms)."""
        self._count(coordinates, now)
        self._lines.append(lines)
        self._records.append(record)
        self._bytes += len(lines)

    def reject(self, letter: DeadLetter, coordinates: tuple[int, int, int], now: float) -> None:
        """Add a record that is no event; its offset is settled with the batch around it."""
        self._count(coordinates, now)
        self._letters.append(letter)
        self._bytes += len(letter.record.value() or b"")

    def _count(self, coordinates: tuple[int, int, int], now: float) -> None:
        partition, offset, timestamp_ms = coordinates
        if not self._ends:
            self._due = now + self._linger
            self._oldest_ms = timestamp_ms
        elif timestamp_ms < self._oldest_ms:
            self._oldest_ms = timestamp_ms
        self._ends[partition] = offset + 1

    def seconds_until_due(self, now: float) -> float | None:
        """How long the batch may still wait for more; None while it is empty."""
        return max(0.0, self._due - now) if self._ends else None

    def seal(self, tracker: OffsetTracker) -> Write:
        """Close the batch, tell the tracker of it, and begin the next one."""
        spans = [tracker.deliver(partition, end) for partition, end in self._ends.items()]
        batch = Batch(spans, self._oldest_ms, open=1)
        write = Write(batch, self._lines, self._records, self._letters)
        self._start()
        return write
