"""Commits of batches: each once, whoever else writes and whatever failed before."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError

from lake.account import account
from lake.serve.batch import Batch, Span
from lake.serve.writer import Writer
from lake.tables import EVENTS, GAPS, REJECTED, Lake, TableSpec, transaction_id
from tests.support.lake import TOPIC_ID, batch_of, lake_in, record, rows, write_events
from tests.support.query_event import event


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake without tables yet."""
    return lake_in(tmp_path)


def _batch(lake: Lake, start: int, count: int, *others: bytes) -> Batch:
    values = [event(number) for number in range(count)] + [*others]
    return batch_of([record(each, start + number) for number, each in enumerate(values)], lake, start)


def _closes(lake: Lake) -> bool:
    return all(each.closes for each in account(lake, is_thorough=True))


def _position(lake: Lake, spec: TableSpec = EVENTS) -> int | None:
    return lake.open(spec).transaction_version(transaction_id(TOPIC_ID, 0))


def test_a_batch_is_rows_and_their_position_at_once(lake: Lake) -> None:
    assert Writer(lake).commit(_batch(lake, 0, 3, b"no event"))

    assert (rows(lake).num_rows, rows(lake, REJECTED).num_rows) == (3, 1)
    assert (_position(lake), _position(lake, REJECTED), _position(lake, GAPS)) == (4, 4, None)
    assert _closes(lake)


def test_a_batch_that_is_there_is_not_written_again(lake: Lake) -> None:
    batch = _batch(lake, 0, 3)
    writer = Writer(lake)

    assert writer.commit(batch) and writer.commit(batch)
    assert rows(lake).num_rows == 3


@pytest.mark.parametrize("start", [0, 2, 7])
def test_a_batch_that_does_not_begin_where_the_lake_ends_is_dropped(lake: Lake, start: int) -> None:
    write_events(lake, [event()] * 5)

    assert not Writer(lake).commit(_batch(lake, start, 10))
    assert (rows(lake).num_rows, _position(lake)) == (5, 5)


def test_a_batch_is_dropped_whole_if_one_of_its_partitions_is_written(lake: Lake) -> None:
    write_events(lake, [event()], partition=1)
    both = batch_of([record(event(), 0), record(event(), 0, partition=1)], lake)

    assert not Writer(lake).commit(both)
    assert rows(lake).num_rows == 1


def test_a_batch_of_rejected_records_and_gaps_moves_the_position_too(lake: Lake) -> None:
    batch = Batch(TOPIC_ID)
    batch.begin(0, 0)
    batch.gap(0, 7, now=0.0)

    assert Writer(lake).commit(batch)
    write_events(lake, [b"no event"])
    assert _position(lake) == 8
    assert rows(lake, GAPS).select(["partition", "first", "next"]).to_pylist() == [
        {"partition": 0, "first": 0, "next": 7}
    ]
    assert _closes(lake)


class _StopsBeforeEvents(Writer):  # pylint: disable=too-few-public-methods  # it is killed
    """Ends like a process that is killed once the other tables are written."""

    def commit(self, batch: Batch) -> bool:
        """Write all but the events."""
        for append, some in ((self._append_gaps, batch.gaps), (self._append_rejected, batch.rejected)):
            if some:
                append(batch)
        return True


def test_after_a_kill_between_the_tables_nothing_is_rejected_or_missing_twice(lake: Lake) -> None:
    def crossed(end: int) -> Batch:
        batch = Batch(TOPIC_ID)
        batch.begin(0, 0)
        batch.gap(0, 2, now=0.0)
        records = [record(b"no event", offset) for offset in range(2, end)]
        batch.in_order(records)
        part = batch_of(records, lake, 2)
        batch.rejected = part.rejected
        return batch

    assert _StopsBeforeEvents(lake).commit(crossed(5))
    assert Writer(lake).commit(crossed(8))

    assert rows(lake, REJECTED)["offset"].to_pylist() == [2, 3, 4, 5, 6, 7]
    assert rows(lake, GAPS).num_rows == 1
    assert _closes(lake)


def test_after_a_kill_between_the_tables_a_gap_that_grew_is_written_on(lake: Lake) -> None:
    for writer, end in ((_StopsBeforeEvents(lake), 4), (Writer(lake), 6)):
        batch = Batch(TOPIC_ID)
        batch.begin(0, 0)
        batch.gap(0, end, now=0.0)
        assert writer.commit(batch)

    found = rows(lake, GAPS).select(["first", "next"]).to_pylist()
    assert found == [{"first": 0, "next": 4}, {"first": 4, "next": 6}]
    assert _closes(lake)


def test_delta_refuses_a_position_that_moved_since_the_table_was_read(lake: Lake) -> None:
    """The writer stands on this, and on the next: a later version of delta-rs must do so too."""
    stale, other = lake.open(EVENTS), lake.open(EVENTS)
    _append(other, lake, 3)

    for version in (2, 5):
        with pytest.raises(CommitFailedError, match="Concurrent transaction"):
            _append(stale, lake, version)


def test_delta_takes_an_older_position_where_none_came_between(lake: Lake) -> None:
    table = lake.open(EVENTS)
    _append(table, lake, 3)
    _append(table, lake, 2)

    assert _position(lake) == 2


def test_a_commit_beside_a_compaction_and_another_partition_is_made(lake: Lake) -> None:
    for _ in range(2):
        write_events(lake, [event()])
    mine, compacting, other = (lake.open(EVENTS) for _ in range(3))
    compacting.optimize.compact()
    write_events(lake, [event()], partition=1)
    del other
    _append(mine, lake, 9)

    assert rows(lake).num_rows == 4


def test_positions_outlive_checkpoints(lake: Lake) -> None:
    write_events(lake, [event()] * 2)
    table = lake.open(EVENTS)
    table.create_checkpoint()
    write_events(lake, [event()], partition=1)

    assert Writer(lake).positions(TOPIC_ID, [0, 1, 2]) == {0: 2, 1: 1, 2: 0}


def test_the_log_is_bounded_by_checkpoints_and_by_its_age(lake: Lake) -> None:
    batch, writer = _batch(lake, 0, 1), Writer(lake)
    log = Path(lake.url(EVENTS)) / "_delta_log"

    def commit_up_to(offset: int) -> None:
        while batch.spans[0].start < offset:
            assert writer.commit(batch)
            span = batch.spans[0]
            batch.spans[0] = Span(span.next, span.next + 1)

    commit_up_to(101)
    assert list(log.glob("*.checkpoint.parquet"))
    long_ago = time.time() - timedelta(days=8).total_seconds()
    for path in log.iterdir():
        os.utime(path, (long_ago, long_ago))
    commit_up_to(201)

    assert len(list(log.glob("*.json"))) < 110
    assert (rows(lake).num_rows, _position(lake)) == (201, 201)


def _append(table: DeltaTable, lake: Lake, version: int) -> None:
    batch = batch_of([record(event(), 0)], lake)
    properties = CommitProperties(app_transactions=[Transaction(transaction_id(TOPIC_ID, 0), version)])
    write_deltalake(table, batch.events, mode="append", commit_properties=properties)
