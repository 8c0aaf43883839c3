"""The writer's loop over a model of Kafka: what it does where offsets are missing and the topic changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
from confluent_kafka import Message

from lake.account import account
from lake.metrics import DROPPED_BATCHES
from lake.serve.group import Group, OnLeave
from lake.serve.loop import Loop
from lake.serve.writer import Writer
from lake.tables import GAPS, Lake
from tests.support.lake import TOPIC_ID, builder, lake_in, record, rows, settings_in, write_events
from tests.support.query_event import event


class _Kafka:  # pylint: disable=too-many-instance-attributes  # a topic, and where its reader is
    """One partition, read by one member."""

    has_joined = True

    def __init__(self) -> None:
        self.id = TOPIC_ID
        self.log: dict[int, Message] = {}
        self.low = self.next = 0
        self.unplaced = {0}
        self.is_paused = False
        self.places: list[int] = []
        self.skips_once: int | None = None
        self.on_leave: OnLeave = lambda partitions: None

    def append(self, *offsets: int) -> None:
        """Put an event at each of these offsets."""
        self.log |= {offset: record(event(offset), offset) for offset in offsets}

    def read(self, max_records: int, timeout: float) -> list[Message]:
        """The records from the reader's place on."""
        del timeout
        if self.unplaced or self.is_paused:
            return []
        if self.skips_once is not None:
            self.next, self.skips_once = self.skips_once, None
        found = [self.log[offset] for offset in sorted(self.log) if offset >= self.next][:max_records]
        self.next = max([self.next, *(1 + (each.offset() or 0) for each in found)])
        return found

    def place(self, partition: int, offset: int) -> None:
        """Read from there on."""
        self.places.append(offset)
        self.next = offset
        self.unplaced.discard(partition)

    def displace(self) -> None:
        """Read nothing until it is placed."""
        self.unplaced = {0}

    def topic_id(self) -> str:
        """The topic's id."""
        return self.id

    def watch_topic(self, topic_id: str) -> None:
        """Notice another topic."""
        if topic_id != self.id:
            self.displace()

    def watermarks(self, partition: int) -> tuple[int, int]:
        """Both ends."""
        del partition
        return self.low, max(self.log, default=-1) + 1

    def pause(self) -> None:
        """Stop fetching."""
        self.is_paused = True

    def resume(self) -> None:
        """Go on fetching."""
        self.is_paused = False

    def commit(self, positions: Mapping[int, int]) -> None:
        """Nobody asks for them."""

    def update_lag(self, positions: Mapping[int, int]) -> None:
        """Nobody asks for it."""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake without tables yet."""
    return lake_in(tmp_path)


@pytest.fixture
def kafka() -> _Kafka:
    """An empty topic."""
    return _Kafka()


@pytest.fixture
def loop(kafka: _Kafka, lake: Lake, tmp_path: Path) -> Loop:
    """A loop that commits at each turn after one that has read."""
    settings = settings_in(tmp_path, commit_seconds=0.000_001)
    return Loop(settings, cast(Group, kafka), Writer(lake), builder(settings))


def _turn(loop: Loop, times: int = 8) -> None:
    for _ in range(times):
        loop.turn()


def _offsets(lake: Lake) -> list[int]:
    return [int(each) for each in rows(lake)["offset"].to_pylist()]


def _gaps(lake: Lake) -> list[tuple[int, int]]:
    return [(row["first"], row["next"]) for row in rows(lake, GAPS).to_pylist()]


def _closes(lake: Lake) -> bool:
    return all(each.closes for each in account(lake, is_thorough=True))


def test_a_record_that_comes_too_early_is_no_gap(loop: Loop, kafka: _Kafka, lake: Lake) -> None:
    kafka.append(*range(10))
    kafka.skips_once = 6
    _turn(loop)

    assert (_offsets(lake), _gaps(lake)) == ([*range(10)], [])
    assert kafka.places == [0, 0]


def test_offsets_that_are_missing_twice_are_a_gap(loop: Loop, kafka: _Kafka, lake: Lake) -> None:
    kafka.append(0, 1, 5, 6, 9)
    _turn(loop, 16)

    assert (_offsets(lake), _gaps(lake)) == ([0, 1, 5, 6, 9], [(2, 5), (7, 9)])
    assert _closes(lake)


def test_a_partition_is_read_from_where_the_lake_is(loop: Loop, kafka: _Kafka, lake: Lake) -> None:
    write_events(lake, [event() for _ in range(4)])
    kafka.append(*range(6))
    _turn(loop)

    assert (kafka.places, _offsets(lake)) == ([4], [*range(6)])


def test_a_batch_that_another_writer_was_faster_with_is_read_again_from_behind_it(
    loop: Loop, kafka: _Kafka, lake: Lake
) -> None:
    dropped = DROPPED_BATCHES._value.get()  # pylint: disable=protected-access  # there is no other way
    kafka.append(*range(6))
    _turn(loop, 1)
    write_events(lake, [event() for _ in range(3)])
    _turn(loop)

    assert (kafka.places, _offsets(lake)) == ([0, 3], [*range(6)])
    assert DROPPED_BATCHES._value.get() == dropped + 1  # pylint: disable=protected-access


def test_what_was_read_of_a_topic_is_written_before_the_one_that_has_its_name_now(
    loop: Loop, kafka: _Kafka, lake: Lake
) -> None:
    kafka.append(*range(3))
    _turn(loop, 1)
    kafka.id, kafka.log = "another", {}
    kafka.append(*range(2))
    _turn(loop)

    found = rows(lake).group_by("topic_id").aggregate([("offset", "count")]).to_pylist()
    assert {row["topic_id"]: row["offset_count"] for row in found} == {TOPIC_ID: 3, "another": 2}
    assert _closes(lake)


def test_partitions_leave_with_all_that_was_read_of_them(loop: Loop, kafka: _Kafka, lake: Lake) -> None:
    kafka.append(*range(3))
    _turn(loop, 1)
    loop._on_leave([0])  # pylint: disable=protected-access  # as the client calls it

    assert _offsets(lake) == [0, 1, 2]
    assert not loop.has_first_partition()
