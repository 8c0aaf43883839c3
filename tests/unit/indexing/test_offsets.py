"""Offset tracking: whatever the order of settling, nothing unsettled is ever committed, and all that may be is."""
# pylint: disable=missing-function-docstring  # the rules of a state machine are named as sentences

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from indexing.offsets import OffsetTracker, Span

PARTITIONS = st.integers(min_value=0, max_value=2)


class OffsetTracking(RuleBasedStateMachine):
    """Deliveries with gaps, settled in any order, with rebalances and failing commits between them.

    The model is the plain truth: for each assignment of a partition, its spans in order of delivery.
    """

    spans = Bundle("spans")

    def __init__(self) -> None:
        super().__init__()
        self.tracker = OffsetTracker()
        self.delivered: dict[int, list[Span]] = {}
        self.committed: dict[int, int] = {}
        self.next_offset = 0

    @rule(partition=PARTITIONS)
    def assign(self, partition: int) -> None:
        self.tracker.assign(partition)
        self.delivered[partition] = []
        self.committed.pop(partition, None)

    @rule(partition=PARTITIONS)
    def revoke(self, partition: int) -> None:
        self.tracker.revoke(partition)
        self.delivered.pop(partition, None)
        self.committed.pop(partition, None)

    @rule(target=spans, partition=PARTITIONS, gap=st.integers(min_value=1, max_value=1000))
    def deliver(self, partition: int, gap: int) -> object:
        if partition not in self.delivered:
            return multiple()
        self.next_offset += gap
        span = self.tracker.deliver(partition, self.next_offset)
        self.delivered[partition].append(span)
        return span

    @rule(span=consumes(spans))
    def settle(self, span: Span) -> None:
        self.tracker.settle(span)

    @rule()
    def commit(self) -> None:
        offsets = self.tracker.committable()
        self.tracker.committed(offsets)
        self.committed |= offsets

    @rule(partition=PARTITIONS)
    def commit_fails(self, partition: int) -> None:
        self.tracker.uncommitted(partition)
        self.committed.pop(partition, None)

    @invariant()
    def committable_is_the_end_of_the_settled_prefix(self) -> None:
        expected = {}
        for partition, spans in self.delivered.items():
            prefix = None
            for span in spans:
                if not span.settled:
                    break
                prefix = span.next_offset
            assert self.tracker.position(partition) == prefix
            if prefix is not None and prefix != self.committed.get(partition):
                expected[partition] = prefix
        assert self.tracker.committable() == expected

    @invariant()
    def assigned_partitions_are_known(self) -> None:
        assert {p for p in range(3) if self.tracker.is_assigned(p)} == set(self.delivered)


test_only_a_settled_prefix_is_committable = OffsetTracking.TestCase


def test_a_span_of_an_earlier_assignment_has_no_say_in_the_next() -> None:
    tracker = OffsetTracker()
    tracker.assign(0)
    earlier = tracker.deliver(0, 100)
    tracker.assign(0)
    tracker.deliver(0, 50)

    tracker.settle(earlier)

    assert tracker.committable() == {}


def test_settling_crosses_what_compaction_left_out() -> None:
    tracker = OffsetTracker()
    tracker.assign(0)
    for span in [tracker.deliver(0, 5), tracker.deliver(0, 1_000_000)]:
        tracker.settle(span)

    assert tracker.committable() == {0: 1_000_000}
