"""Batches: filled by count, bytes and age, and every record of them accounted for."""

import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from indexing.batch import BatchBuilder, DeadLetter
from indexing.offsets import OffsetTracker
from indexing.projection import Place


def record(partition: int, offset: int, value: bytes = b"{}") -> Message:
    """A record as it is read."""
    return Message(topic="query-events", partition=partition, offset=offset, value=value, timestamp=(2, 1_000 + offset))


def fill(builder: BatchBuilder, offsets: list[tuple[int, int]], now: float = 0.0) -> None:
    """Add an event of five bytes for each partition and offset."""
    for partition, offset in offsets:
        builder.add(record(partition, offset), [b"line\n"], Place(partition, offset, 1_000 + offset), now)


@pytest.fixture(name="tracker")
def fixture_tracker() -> OffsetTracker:
    """A tracker with three partitions assigned."""
    tracker = OffsetTracker()
    for partition in range(3):
        tracker.assign(partition)
    return tracker


def test_a_batch_is_full_by_count() -> None:
    builder = BatchBuilder(max_records=2, max_bytes=1_000, linger=1.0)
    fill(builder, [(0, 0)])
    assert not builder.is_full
    assert builder.room == 1
    fill(builder, [(0, 1)])
    assert builder.is_full


def test_a_batch_is_full_by_bytes() -> None:
    builder = BatchBuilder(max_records=100, max_bytes=10, linger=1.0)
    fill(builder, [(0, 0)])
    assert not builder.is_full
    fill(builder, [(0, 1)])
    assert builder.is_full


def test_records_that_are_no_events_fill_a_batch_too() -> None:
    builder = BatchBuilder(max_records=1, max_bytes=1_000, linger=1.0)
    builder.reject(DeadLetter(record(0, 0), "tombstone", ""), Place(0, 0, 1_000), 0.0)

    assert builder.is_full


def test_a_batch_is_due_a_while_after_its_first_record() -> None:
    builder = BatchBuilder(max_records=100, max_bytes=1_000, linger=0.2)
    assert builder.seconds_until_due(7.0) is None
    fill(builder, [(0, 0)], now=7.0)
    fill(builder, [(0, 1)], now=7.15)

    assert builder.seconds_until_due(7.1) == pytest.approx(0.1)
    assert builder.seconds_until_due(8.0) == 0.0


def test_sealing_tells_the_tracker_and_starts_afresh(tracker: OffsetTracker) -> None:
    builder = BatchBuilder(max_records=100, max_bytes=1_000, linger=0.2)
    fill(builder, [(0, 4), (1, 8), (0, 6)])
    write = builder.seal(tracker)

    assert write.batch.open == 1
    assert write.batch.oldest_ms == 1_004
    assert {(span.partition, span.next_offset) for span in write.batch.spans} == {(0, 7), (1, 9)}
    assert len(builder) == 0
    assert builder.seconds_until_due(100.0) is None


def test_a_part_keeps_the_bytes_and_counts_the_try(tracker: OffsetTracker) -> None:
    builder = BatchBuilder(max_records=100, max_bytes=1_000, linger=0.2)
    fill(builder, [(0, 0), (0, 1), (0, 2)])
    write = builder.seal(tracker)
    part = write.part([0, 2], [])

    assert part.operations[1] is write.operations[2]
    assert [kept.offset() for kept in part.records] == [0, 2]
    assert part.attempt == 1
    assert part.batch is write.batch


@given(count=st.integers(min_value=2, max_value=50))
def test_halves_hold_everything_once(count: int) -> None:
    tracker = OffsetTracker()
    tracker.assign(0)
    builder = BatchBuilder(max_records=100, max_bytes=1_000, linger=0.2)
    fill(builder, [(0, offset) for offset in range(count)])
    letter = DeadLetter(record(0, count), "tombstone", "")
    builder.reject(letter, Place(0, count, 0), 0.0)
    first, second = builder.seal(tracker).halves()

    assert [kept.offset() for kept in first.records + second.records] == list(range(count))
    assert first.letters + second.letters == [letter]
    assert len(first.operations) >= 1
    assert len(second.operations) >= 1


@given(st.lists(st.tuples(st.integers(min_value=0, max_value=2), st.booleans()), min_size=1, max_size=100))
def test_settling_every_batch_makes_every_record_committable(arrivals: list[tuple[int, bool]]) -> None:
    tracker = OffsetTracker()
    for partition in range(3):
        tracker.assign(partition)
    builder = BatchBuilder(max_records=7, max_bytes=1_000, linger=0.2)
    ends: dict[int, int] = {}
    writes = []
    for partition, is_event in arrivals:
        offset = ends.get(partition, 0)
        ends[partition] = offset + 1
        if is_event:
            fill(builder, [(partition, offset)])
        else:
            builder.reject(DeadLetter(record(partition, offset), "schema", ""), Place(partition, offset, 0), 0.0)
        if builder.is_full:
            writes.append(builder.seal(tracker))
    writes.append(builder.seal(tracker))

    for write in reversed(writes):
        for span in write.batch.spans:
            tracker.settle(span)

    assert tracker.committable() == ends
    assert sum(len(write.operations) + len(write.letters) for write in writes) == len(arrivals)
