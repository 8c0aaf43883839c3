"""Rows that are committed together, and the offsets that they account for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from confluent_kafka import Message

from lake.serve.rows import RowBuilder


@dataclass(slots=True)
class Span:
    """Offsets of a partition from ``start`` to the one before ``next``."""

    start: int
    next: int


@dataclass(eq=False, slots=True)
class Batch:  # pylint: disable=too-many-instance-attributes  # rows of three tables, and their bounds
    """Records of one topic as rows; every offset of its spans is a row, rejected, or in a gap.

    Attributes:
        topic_id: the topic's.
        spans: what it accounts for, by partition.
        events: rows of ``events``.
        rejected: rows of ``rejected``.
        gaps: partition, first offset and the one after the last, of offsets that Kafka does not have.
        bytes: of the rows, which are about those of the records.
        opened: when its first record or gap came, by the caller's clock; None while it is empty.
        oldest_ms: the earliest time at which Kafka had one of its records, milliseconds since 1970.
    """

    topic_id: str
    spans: dict[int, Span] = field(default_factory=dict)
    events: list[pa.RecordBatch] = field(default_factory=list)
    rejected: list[pa.RecordBatch] = field(default_factory=list)
    gaps: list[tuple[int, int, int]] = field(default_factory=list)
    bytes: int = 0
    opened: float | None = None
    oldest_ms: int | None = None

    @property
    def moved(self) -> dict[int, Span]:
        """The spans with something in them, by partition."""
        return {partition: span for partition, span in self.spans.items() if span.next > span.start}

    def successor(self) -> "Batch":
        """The batch that goes on where this one ends."""
        return Batch(self.topic_id, {partition: Span(span.next, span.next) for partition, span in self.spans.items()})

    def begin(self, partition: int, start: int) -> None:
        """Account for a partition from here on, unless the batch already does."""
        self.spans.setdefault(partition, Span(start, start))

    def gap(self, partition: int, end: int, now: float) -> None:
        """Note that Kafka does not have the partition's offsets up to ``end``."""
        span = self.spans[partition]
        self.gaps.append((partition, span.next, end))
        span.next = end
        self._open(now)

    def add(self, records: Sequence[Message], builder: RowBuilder, now: float) -> None:
        """Add records, each at the offset that is the next of its partition (see ``in_order``)."""
        rows = builder.build(records, self.topic_id)
        for table, part in ((self.events, rows.events), (self.rejected, rows.rejected)):
            if part.num_rows:
                table.append(part)
        # Keys and headers of rejected records count too, or they would have no bound.
        self.bytes += rows.events.nbytes + rows.rejected.nbytes
        oldest_ms = min(record.timestamp()[1] for record in records)
        self.oldest_ms = oldest_ms if self.oldest_ms is None else min(self.oldest_ms, oldest_ms)
        self._open(now)

    def in_order(self, records: Sequence[Message]) -> tuple[list[Message], dict[int, int]]:
        """Take the records that come next in their partitions into the spans.

        Returns:
            Those records; and by partition the offset before which others are missing. What has been taken before, or
            comes after missing offsets, is left out.
        """
        taken, jumps = [], {}
        for record in records:
            partition, offset = record.partition(), record.offset()
            assert partition is not None and offset is not None  # only events of the client itself have none
            span = self.spans.get(partition)
            if span is None or partition in jumps:
                continue
            if offset == span.next:
                span.next = offset + 1
                taken.append(record)
            elif offset > span.next:
                jumps[partition] = offset
        return taken, jumps

    def _open(self, now: float) -> None:
        if self.opened is None:
            self.opened = now
