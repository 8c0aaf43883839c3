"""Offsets that may be committed: those before the first that is not settled."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Span:
    """Consecutive deliveries of one partition that are settled together; ``next_offset`` is the one after the last."""

    partition: int
    next_offset: int
    settled: bool = False


@dataclass(slots=True)
class _Deliveries:
    """One partition, for as long as it is assigned."""

    outstanding: deque[Span] = field(default_factory=deque)
    committable: int | None = None
    committed: int | None = None


class OffsetTracker:
    """Follows the assigned partitions of one topic from delivery to commit.

    Spans may be settled in any order; a partition's committable offset moves only over a settled prefix, in the order
    of delivery, so a crash repeats work and never skips it. Offsets need not be dense: what compaction or transaction
    markers left out is crossed, because a span says where it ends, not how many records it has.
    """

    def __init__(self) -> None:
        self._partitions: dict[int, _Deliveries] = {}

    def assign(self, partition: int) -> None:
        """Follow a partition afresh; spans of an earlier assignment have no say in it."""
        self._partitions[partition] = _Deliveries()

    def revoke(self, partition: int) -> None:
        """Forget a partition; spans of it that are settled later are ignored."""
        self._partitions.pop(partition, None)

    def is_assigned(self, partition: int) -> bool:
        """Whether the partition is followed, so that its records may be taken."""
        return partition in self._partitions

    def deliver(self, partition: int, next_offset: int) -> Span:
        """Note that records up to ``next_offset`` (exclusive) have been delivered.

        Raises:
            KeyError: the partition is not assigned.
        """
        span = Span(partition, next_offset)
        self._partitions[partition].outstanding.append(span)
        return span

    def settle(self, span: Span) -> None:
        """Note that a span's records are all indexed or dead-lettered."""
        span.settled = True
        deliveries = self._partitions.get(span.partition)
        if deliveries is None:
            return
        while deliveries.outstanding and deliveries.outstanding[0].settled:
            deliveries.committable = deliveries.outstanding.popleft().next_offset

    def committable(self) -> dict[int, int]:
        """Return the next offset to read by partition, of partitions that settled records since the last commit."""
        return {
            partition: deliveries.committable
            for partition, deliveries in self._partitions.items()
            if deliveries.committable is not None and deliveries.committable != deliveries.committed
        }

    def committed(self, offsets: dict[int, int]) -> None:
        """Note that these offsets, taken from ``committable``, are committed or on their way."""
        for partition, offset in offsets.items():
            if partition in self._partitions:
                self._partitions[partition].committed = offset

    def uncommitted(self, partition: int) -> None:
        """Note that a commit failed: what is settled is committable again."""
        if partition in self._partitions:
            self._partitions[partition].committed = None

    def position(self, partition: int) -> int | None:
        """The offset up to which a partition is settled; None before anything is."""
        deliveries = self._partitions.get(partition)
        return None if deliveries is None else deliveries.committable
