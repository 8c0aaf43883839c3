"""Offsets that a batch accounts for."""

from pathlib import Path

from confluent_kafka import Message

from lake.serve.batch import Batch, Span
from tests.support.lake import builder, record, settings_in
from tests.support.query_event import event

_VALUE = event()


def test_records_are_taken_in_the_order_of_their_offsets() -> None:
    batch = Batch("t")
    batch.begin(0, 5)
    batch.begin(1, 0)
    records = [record(_VALUE, 4), record(_VALUE, 5), record(_VALUE, 0, 1), record(_VALUE, 6), record(_VALUE, 5)]

    taken, jumps = batch.in_order(records)
    assert [(each.partition(), each.offset()) for each in taken] == [(0, 5), (1, 0), (0, 6)]
    assert not jumps
    assert batch.spans == {0: Span(5, 7), 1: Span(0, 1)}


def test_what_comes_after_missing_offsets_is_left_out() -> None:
    batch = Batch("t")
    batch.begin(0, 0)
    taken, jumps = batch.in_order([record(_VALUE, 0), record(_VALUE, 3), record(_VALUE, 1), record(_VALUE, 4)])

    assert [each.offset() for each in taken] == [0]
    assert jumps == {0: 3}


def test_a_partition_that_was_not_begun_is_ignored() -> None:
    assert Batch("t").in_order([record(_VALUE, 0)]) == ([], {})


def test_rejected_records_are_bounded_by_their_headers_too(tmp_path: Path) -> None:
    bare = Message(topic="t", partition=0, offset=0, headers=[("a", b"x" * 10_000)], timestamp=(2, 1_000))
    batch = Batch("t")
    batch.begin(0, 0)
    batch.add(batch.in_order([bare])[0], builder(settings_in(tmp_path)), now=0.0)

    assert batch.bytes > 10_000


def test_a_gap_moves_the_partition_on() -> None:
    batch = Batch("t")
    batch.begin(0, 3)
    batch.gap(0, 10, now=1.0)

    assert (batch.gaps, batch.moved, batch.opened) == ([(0, 3, 10)], {0: Span(3, 10)}, 1.0)
    assert batch.successor().spans == {0: Span(10, 10)}
    assert not batch.successor().moved
