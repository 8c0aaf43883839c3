"""Tail of the audit trail: the last events in memory, and each tail's place and account; pure.

An account is made of offsets: of what was produced in a tail's partitions since it began, each event is shown,
filtered, or left out, and the three sums are the difference of the offsets. An event is left out where the ring has
dropped it before the tail came to it, or where the topic has no record at an offset.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from gateway.live.frames import Filter, TailPart

MAX_EVENTS = 20_000
MAX_BYTES = 32 * 1024 * 1024
_FRAME_EVENTS = 200
_FRAME_BYTES = 64 * 1024
_SCANNED = 2_000
"""Events that one frame looks at, so that no tail holds the event loop up."""


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """An event of the trail: its place, what filters look at, and how it is shown, written as JSON."""

    partition: int
    offset: int
    user: str | None
    event_type: str
    text: str
    """The query in lower case."""
    shown: bytes


class Ring:  # pylint: disable=too-many-instance-attributes  # counts of what it holds and held
    """The last events that were read, in the order in which they came.

    Attributes:
        generation: another one where the topic has begun anew; offsets of an earlier one mean nothing.
        positions: the offset of the next event to be read, by partition.
        first: how many events were dropped so far.
    """

    def __init__(self, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self.generation = 0
        self.positions: dict[int, int] = {}
        self.first = 0
        self._limits = max_events, max_bytes
        self._events: deque[TrailEvent] = deque()
        self._bytes = 0
        self._heads: dict[int, int] = {}
        self._ends: dict[int, int] = {}

    def begin(self, positions: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """Reading goes on at these offsets; what is in the ring stays, unless they do not go on where it ends.

        Args:
            positions: the offset of the next event to be read, by partition.
            ends: the offset of the next event that will be produced.
        """
        if any(positions.get(partition, -1) < offset for partition, offset in self.positions.items()):
            self.generation += 1
            self.first += len(self._events)
            self._events.clear()
            self._bytes = 0
            self._heads, self.positions = {}, {}
        for partition, offset in positions.items():
            self._heads.setdefault(partition, offset)
            self.positions[partition] = offset
        self._ends = dict(ends)

    def add(self, event: TrailEvent) -> None:
        """Take an event that was read, and drop the oldest ones where there are too many."""
        self._events.append(event)
        self._bytes += len(event.shown)
        self.positions[event.partition] = event.offset + 1
        max_events, max_bytes = self._limits
        while len(self._events) > max_events or self._bytes > max_bytes:
            oldest = self._events.popleft()
            self._bytes -= len(oldest.shown)
            self._heads[oldest.partition] = oldest.offset + 1
            self.first += 1

    @property
    def end(self) -> int:
        """Number of events read so far."""
        return self.first + len(self._events)

    def now(self) -> dict[int, int]:
        """The offsets at which what is produced from now on begins; reading may not have come so far."""
        return {partition: max(offset, self._ends.get(partition, 0)) for partition, offset in self.positions.items()}

    def oldest(self, partition: int) -> int:
        """The offset before which the ring has nothing (any more)."""
        return self._heads.get(partition, 0)

    def after(self, number: int, limit: int) -> list[TrailEvent]:
        """Events from the one of this number on, counted from the first that was ever read."""
        skipped = number - self.first
        return list(islice(self._events, skipped, skipped + limit))


class TailView:
    """One tail's place in the ring, and its account.

    Args:
        ring: the events.
        wanted: which of them are shown.
        begin: the offset of the first event, by partition; of others, the next one that is produced.

    Attributes:
        at: the offset of the next event, by partition.
    """

    def __init__(self, ring: Ring, wanted: Filter, begin: Mapping[int, int]) -> None:
        self._ring = ring
        self._wanted = wanted
        self._text = None if wanted.text is None else wanted.text.lower()
        self.generation = ring.generation
        self.at = {partition: min(begin.get(partition, end), end) for partition, end in ring.now().items()}
        is_new = all(place >= ring.positions[partition] for partition, place in self.at.items())
        self._next = ring.end if is_new else ring.first

    def take(self) -> TailPart:
        """The next part; an empty one where there is nothing new."""
        part = TailPart()
        self._leave_out_dropped(part)
        size = 0
        for event in self._ring.after(self._next, _SCANNED):
            if len(part.events) == _FRAME_EVENTS or (part.events and size + len(event.shown) > _FRAME_BYTES):
                break
            self._next += 1
            place = self.at.setdefault(event.partition, self._ring.oldest(event.partition))
            if event.offset < place:
                continue
            part.left_out += event.offset - place
            self.at[event.partition] = event.offset + 1
            if self._passes(event):
                part.events.append(event.shown)
                size += len(event.shown)
            else:
                part.filtered += 1
        return part

    @property
    def is_behind(self) -> bool:
        """Whether there are events that it has not looked at."""
        return self._next < self._ring.end

    def _leave_out_dropped(self, part: TailPart) -> None:
        for partition, place in self.at.items():
            oldest = self._ring.oldest(partition)
            if place < oldest:
                part.left_out += oldest - place
                self.at[partition] = oldest
        self._next = max(self._next, self._ring.first)

    def _passes(self, event: TrailEvent) -> bool:
        wanted = self._wanted
        return (
            (wanted.user is None or event.user == wanted.user)
            and (wanted.event_type is None or event.event_type == wanted.event_type)
            and (self._text is None or self._text in event.text)
        )
