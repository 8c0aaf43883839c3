"""A group of members that comes and goes: whatever the order of events, no record is ever committed unsettled.

Two members with the sink's own tracker and batches against a model of the broker. What the sink does around them in
``indexing.group`` and ``indexing.loop`` is repeated here in its order: a partition is taken away after what is open
was put in flight and what is settled was committed; a lost one is taken away without a commit.
"""
# pylint: disable=missing-function-docstring  # the rules of a state machine are named as sentences

from bisect import bisect_left

from confluent_kafka import Message
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from indexing.batch import Batch, BatchBuilder
from indexing.offsets import OffsetTracker

_PARTITIONS = range(3)
_MEMBERS = 2

NUMBERS = st.sampled_from(range(_MEMBERS))
PARTITIONS = st.sampled_from(_PARTITIONS)


class Member:  # pylint: disable=too-few-public-methods  # the rules act on it
    """One sink: what it has, and what the broker would say of its session."""

    def __init__(self) -> None:
        self.tracker = OffsetTracker()
        self.builder = BatchBuilder(max_events=2, max_bytes=1_000, linger=1.0)
        self.open: list[tuple[Batch, list[Message]]] = []
        self.next_offset: dict[int, int] = {}
        self.has_session = False

    def seal(self) -> None:
        if len(self.builder):
            write = self.builder.seal(self.tracker)
            self.open.append((write.batch, write.records))


class Rebalances(RuleBasedStateMachine):
    """Assignments move in any order, sessions end unnoticed, processes die, commits fail."""

    def __init__(self) -> None:
        super().__init__()
        self.log: dict[int, list[int]] = {partition: [] for partition in _PARTITIONS}
        self.committed = dict.fromkeys(_PARTITIONS, 0)
        self.owner: dict[int, int | None] = dict.fromkeys(_PARTITIONS)
        self.settled: set[tuple[int, int]] = set()
        self.members = [Member() for _ in range(_MEMBERS)]

    @initialize()
    def both_members_join(self) -> None:
        for member in self.members:
            member.has_session = True
        for partition in _PARTITIONS:
            self.produce(partition, [1] * 6)
            self.partition_moves_in_an_orderly_way(partition, partition % _MEMBERS, True, True)

    @rule(partition=PARTITIONS, gaps=st.lists(st.integers(min_value=1, max_value=3), min_size=1, max_size=6))
    def produce(self, partition: int, gaps: list[int]) -> None:
        for gap in gaps:
            last = self.log[partition][-1] if self.log[partition] else -1
            self.log[partition].append(last + gap)

    @rule(partition=PARTITIONS, number=NUMBERS, settles_first=st.booleans(), answers=st.booleans())
    def partition_moves_in_an_orderly_way(
        self, partition: int, number: int, settles_first: bool, answers: bool
    ) -> None:
        new, old = self.members[number], self.owner[partition]
        if not new.has_session or old == number:
            return
        if old is not None:
            self._revoke(old, partition, settles_first, answers)
        self.owner[partition] = number
        new.tracker.assign(partition)
        new.next_offset[partition] = self.committed[partition]

    def _revoke(self, old: int, partition: int, settles_first: bool, answers: bool) -> None:
        member = self.members[old]
        member.seal()
        while settles_first and member.open:
            self._settle(member, 0)
        self._commit(member, answers)
        member.tracker.revoke(partition)
        del member.next_offset[partition]

    @rule(number=NUMBERS, what=st.sampled_from(["session ends", "loss is noticed", "loss is noticed", "process dies"]))
    def member_fails(self, number: int, what: str) -> None:
        member = self.members[number]
        if what == "session ends":
            self._end_session(number)
        elif what == "process dies":
            self._replace(number)
        elif not member.has_session:
            member.seal()
            for partition in member.next_offset:
                member.tracker.revoke(partition)
            member.next_offset.clear()
            member.has_session = True

    def _end_session(self, number: int) -> None:
        """The broker gives a member up, which does not know it yet."""
        self.members[number].has_session = False
        for partition, owner in self.owner.items():
            if owner == number:
                self.owner[partition] = None

    def _replace(self, number: int) -> None:
        """A process is killed, and another takes its place."""
        self._end_session(number)
        self.members[number] = Member()
        self.members[number].has_session = True

    # One rule for the sink's turn, with all of its parts optional: as rules of their own they would hardly ever meet.
    @rule(
        number=NUMBERS,
        reads=st.lists(PARTITIONS, max_size=4),
        is_due=st.booleans(),
        ends=st.lists(st.integers(min_value=0, max_value=5), max_size=4),
        commits=st.booleans(),
        answers=st.booleans(),
    )
    def member_reads_settles_and_commits(  # pylint: disable=too-many-arguments,too-many-positional-arguments
        self, number: int, reads: list[int], is_due: bool, ends: list[int], commits: bool, answers: bool
    ) -> None:
        member = self.members[number]
        for partition in reads:
            if partition in member.next_offset:
                self._read(member, partition)
        if is_due:
            member.seal()
        for which in ends:
            if member.open:
                self._settle(member, which % len(member.open))
        if commits:
            self._commit(member, answers)

    def _read(self, member: Member, partition: int) -> None:
        start = member.next_offset[partition]
        for offset in self.log[partition][bisect_left(self.log[partition], start) :][: member.builder.room]:
            record = Message(topic="t", partition=partition, offset=offset, value=b"{}", timestamp=(2, 0))
            member.builder.add(record, b"", (partition, offset, 0), 0.0)
            member.next_offset[partition] = offset + 1
        if member.builder.is_full:
            member.seal()

    def _settle(self, member: Member, which: int) -> None:
        batch, records = member.open.pop(which)
        self.settled |= {(record.partition() or 0, record.offset() or 0) for record in records}
        for span in batch.spans:
            member.tracker.settle(span)

    def _commit(self, member: Member, answers: bool) -> None:
        """Commit; refused without a session (UNKNOWN_MEMBER_ID), and failing where the broker does not answer."""
        offsets = member.tracker.committable()
        member.tracker.committed(offsets)
        for partition, offset in offsets.items():
            if member.has_session and answers:
                assert offset >= self.committed[partition], "a commit moves the group back"
                self.committed[partition] = offset
            else:
                member.tracker.uncommitted(partition)

    @invariant()
    def nothing_before_a_committed_offset_is_unsettled(self) -> None:
        for partition, offsets in self.log.items():
            for offset in offsets[: bisect_left(offsets, self.committed[partition])]:
                assert (partition, offset) in self.settled, f"{partition}:{offset} would never be read again"

    def teardown(self) -> None:
        """In the end, with one member left, everything is settled and committed."""
        self._replace(0)
        self._end_session(1)
        member = self.members[0]
        for partition in _PARTITIONS:
            self.partition_moves_in_an_orderly_way(partition, 0, True, True)
            while member.next_offset[partition] <= max(self.log[partition], default=-1):
                self._read(member, partition)
        member.seal()
        while member.open:
            self._settle(member, 0)
        self._commit(member, True)
        assert self.settled == {(partition, offset) for partition, log in self.log.items() for offset in log}
        assert all(self.committed[partition] == log[-1] + 1 for partition, log in self.log.items() if log)


Rebalances.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
test_no_rebalance_skips_or_moves_back = Rebalances.TestCase
