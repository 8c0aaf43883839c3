"""A group of members that comes and goes: whatever the order of events, no record is ever committed unsettled.

Two members run the real loop, with their own trackers and batches, against a model of Kafka and of Elasticsearch. The
model repeats what ``indexing.group`` does in librdkafka's callbacks: a partition is taken away after the loop was told
and what is settled was committed; a lost one is taken away without a commit.
"""
# pylint: disable=missing-function-docstring  # the rules of a state machine are named as sentences

from bisect import bisect_left
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from confluent_kafka import Message
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from indexing.batch import DeadLetter, Write
from indexing.bulk_writer import Answer
from indexing.group import OnLeave
from indexing.loop import Loop
from indexing.offsets import OffsetTracker
from indexing.outcomes import Failure, Outcome
from indexing.projection import Place, Unreadable
from indexing.settings import IndexingSettings
from indexing.verdict import DONE, Item

_PARTITIONS = range(3)
_MEMBERS = 2
_REFUSED: Item = (400, {"type": "document_parsing_exception", "reason": "no"})
_REJECTED: Item = (429, {"type": "es_rejected_execution_exception", "reason": "full"})

NUMBERS = st.sampled_from(range(_MEMBERS))
PARTITIONS = st.sampled_from(_PARTITIONS)
VALUES = st.sampled_from([b"1", b"1", b"1", b"2", b"0", b"unreadable"])
ANSWERS = st.sampled_from(["done", "done", "unreachable", "first refused", "first rejected", "too large"])


class _Counts:
    """Projection that makes as many operations of a record as its value says."""

    name = "counts"

    def operations(self, record: Message, place: Place) -> list[bytes]:
        if record.value() == b"unreadable":
            raise Unreadable("unreadable", "no number")
        return [b"%d:%d:%d\n" % (place.partition, place.offset, number) for number in range(int(record.value() or b""))]

    def unready(self, elasticsearch: Any) -> None:
        """Elasticsearch is always ready."""


class _Member:  # pylint: disable=too-many-instance-attributes  # a process, and the model's side of its connections
    """One consumer process: the real loop; and the group, the writer and the dead letters that the model gives it."""

    is_paused = False
    has_joined = True
    topic_id: str | None = None
    trouble: str | None = None

    def __init__(self, model: "Rebalances", number: int) -> None:
        self._model = model
        self._number = number
        self.now = 0.0
        self.has_session = True
        self.tracker = OffsetTracker()
        self.positions: dict[int, int] = {}
        self.readable: list[int] = []
        self.commit_answers = True
        self.writes: list[Write] = []
        self.answer_as: list[str] = []
        self.letters: list[tuple[DeadLetter, Callable[[], None]]] = []
        self.letters_acknowledged = 0
        self._on_leave: OnLeave = lambda orderly: None
        self.loop = Loop(
            _Counts(),
            IndexingSettings(group_id="g", metrics_port=1, batch_size=2, linger_ms=1000, dead_letter_ratio=1),
            elasticsearch=None,  # type: ignore[arg-type]  # only asked whether it is ready, which this projection does not
            tracker=self.tracker,
            group=self,
            writer=self,
            letters=self,
            clock=lambda: self.now,
            random=Random(0),
        )
        self.loop.join()

    # The group
    def join(self, on_leave: OnLeave) -> None:
        self._on_leave = on_leave

    def read(self, max_records: int, timeout: float) -> list[Message]:
        found: list[Message] = []
        for partition in self.readable:
            start = self.positions.get(partition)
            if start is not None:
                records = self._model.log[partition]
                first = bisect_left([record.offset() or 0 for record in records], start)
                taken = records[first : first + max_records - len(found)]
                if taken:
                    self.positions[partition] = (taken[-1].offset() or 0) + 1
                    found += taken
        if not found:
            self.now += timeout
        return found

    def pause(self) -> None:
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = False

    def commit(self, *, wait: bool = False) -> None:
        del wait
        offsets = self.tracker.committable()
        self.tracker.committed(offsets)
        for partition, offset in offsets.items():
            if self.has_session and self.commit_answers:
                self._model.commit(partition, offset)
            else:
                self.tracker.uncommitted(partition)

    def watch_topic(self) -> None:
        """The topic stays the same."""

    def leave(self) -> None:
        """Members end by being killed."""

    def settled_positions(self) -> dict[int, int]:
        return {}

    def update_metrics(self) -> None:
        """Metrics play no part."""

    def probe(self, timeout: float) -> None:
        """Kafka is always there."""

    def assigned(self, partition: int, start: int) -> None:
        self.tracker.assign(partition)
        self.positions[partition] = start

    def revoked(self, partition: int) -> None:
        self._on_leave(True)
        self.commit(wait=True)
        self._forget(partition)

    def lost(self) -> None:
        self._on_leave(False)
        for partition in list(self.positions):
            self._forget(partition)

    def _forget(self, partition: int) -> None:
        self.tracker.revoke(partition)
        del self.positions[partition]

    # The writer
    def submit(self, write: Write) -> None:
        self.writes.append(write)

    def answers(self, timeout: float) -> Iterator[tuple[Write, Answer]]:
        if not (self.answer_as and self.writes):
            self.now += timeout
        while self.answer_as and self.writes:
            write = self.writes.pop(len(self.answer_as) % len(self.writes))
            yield write, self._answer(write, self.answer_as.pop())

    def _answer(self, write: Write, how: str) -> Answer:
        if how == "unreachable":
            return Failure(Outcome.RETRY, "unreachable", "no connection")
        if how == "too large" and len(write.operations) > 1:
            return Failure(Outcome.SPLIT, "too_large", "HTTP 413")
        items = [DONE] * len(write.operations)
        if items and how == "first refused":
            items[0] = _REFUSED
        if items and how == "first rejected":
            items[0] = _REJECTED
        self._model.done |= {operation for operation, item in zip(write.operations, items, strict=True) if item is DONE}
        return items

    # The dead letters
    def send(self, letter: DeadLetter, on_acknowledged: Callable[[], None]) -> None:
        self.letters.append((letter, on_acknowledged))

    def serve(self) -> None:
        while self.letters and self.letters_acknowledged:
            self.letters_acknowledged -= 1
            letter, on_acknowledged = self.letters.pop(0)
            self._model.dead.add((letter.record.partition() or 0, letter.record.offset() or 0))
            on_acknowledged()


class Rebalances(RuleBasedStateMachine):
    """Assignments move in any order, sessions end unnoticed, processes die, requests and commits fail."""

    def __init__(self) -> None:
        super().__init__()
        self.log: dict[int, list[Message]] = {partition: [] for partition in _PARTITIONS}
        self.committed = dict.fromkeys(_PARTITIONS, 0)
        self.owner: dict[int, int | None] = dict.fromkeys(_PARTITIONS)
        self.done: set[bytes] = set()
        self.dead: set[tuple[int, int]] = set()
        self.members = [_Member(self, number) for number in range(_MEMBERS)]

    def commit(self, partition: int, offset: int) -> None:
        assert offset >= self.committed[partition], "a commit moves the group back"
        self.committed[partition] = offset

    def is_settled(self, record: Message) -> bool:
        """Whether each operation of a record is done, or the record is a dead letter."""
        place = (record.partition() or 0, record.offset() or 0)
        if place in self.dead:
            return True
        try:
            return self.done.issuperset(_Counts().operations(record, Place(*place, 0)))
        except Unreadable:
            return False

    @initialize()
    def both_members_join(self) -> None:
        for partition in _PARTITIONS:
            self.produce(partition, [(1, b"1")] * 6)
            self.partition_moves_in_an_orderly_way(partition, partition % _MEMBERS, [], True)

    @rule(
        partition=PARTITIONS,
        records=st.lists(st.tuples(st.integers(min_value=1, max_value=3), VALUES), min_size=1, max_size=6),
    )
    def produce(self, partition: int, records: list[tuple[int, bytes]]) -> None:
        for gap, value in records:
            last = (self.log[partition][-1].offset() or 0) if self.log[partition] else -1
            self.log[partition].append(
                Message(topic="t", partition=partition, offset=last + gap, value=value, timestamp=(2, 0))
            )

    @rule(partition=PARTITIONS, number=NUMBERS, answers=st.lists(ANSWERS, max_size=4), commits=st.booleans())
    def partition_moves_in_an_orderly_way(self, partition: int, number: int, answers: list[str], commits: bool) -> None:
        new, old = self.members[number], self.owner[partition]
        if not new.has_session or old == number:
            return
        if old is not None:
            member = self.members[old]
            member.answer_as, member.commit_answers = answers, commits
            member.revoked(partition)
        self.owner[partition] = number
        new.assigned(partition, self.committed[partition])

    @rule(number=NUMBERS, what=st.sampled_from(["session ends", "process dies", "comes back"]))
    def member_fails(self, number: int, what: str) -> None:
        member = self.members[number]
        if what == "session ends":
            self._end_session(number)
        elif what == "process dies":
            self._replace(number)
        elif not member.has_session:
            member.lost()
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
        self.members[number] = _Member(self, number)

    @rule(
        number=NUMBERS,
        readable=st.lists(PARTITIONS, max_size=3, unique=True),
        answers=st.lists(ANSWERS, max_size=4),
        letters=st.integers(min_value=0, max_value=2),
        passes=st.sampled_from([0.0, 0.5, 1.5, 3600.0]),
        commits=st.booleans(),
    )
    def member_turns(  # pylint: disable=too-many-arguments,too-many-positional-arguments
        self, number: int, readable: list[int], answers: list[str], letters: int, passes: float, commits: bool
    ) -> None:
        self._turn(self.members[number], readable, answers, letters, passes, commits)

    def _turn(  # pylint: disable=too-many-arguments,too-many-positional-arguments
        self, member: _Member, readable: list[int], answers: list[str], letters: int, passes: float, commits: bool
    ) -> None:
        member.now += passes
        member.readable, member.answer_as, member.commit_answers = readable, answers, commits
        member.letters_acknowledged = letters
        member.loop.turn()

    @invariant()
    def nothing_before_a_committed_offset_is_unsettled(self) -> None:
        for partition, records in self.log.items():
            for record in records:
                if (record.offset() or 0) < self.committed[partition]:
                    assert self.is_settled(record), f"{partition}:{record.offset()} would never be read again"

    def teardown(self) -> None:
        """In the end, with one member left, everything is settled and committed."""
        self._replace(0)
        self._end_session(1)
        member = self.members[0]
        for partition in _PARTITIONS:
            self.partition_moves_in_an_orderly_way(partition, 0, [], True)
        ends = {partition: (records[-1].offset() or 0) + 1 for partition, records in self.log.items() if records}
        for _ in range(400):
            if all(self.committed[partition] == end for partition, end in ends.items()):
                break
            self._turn(member, list(_PARTITIONS), ["done"] * 4, 4, 3600.0, True)
        assert {partition: self.committed[partition] for partition in ends} == ends
        assert all(self.is_settled(record) for records in self.log.values() for record in records)


Rebalances.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
test_no_rebalance_skips_or_moves_back = Rebalances.TestCase
