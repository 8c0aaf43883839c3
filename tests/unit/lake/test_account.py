"""The account of offsets."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lake.account import account
from lake.metrics import ACCOUNT_DIFFERENCE
from lake.serve.watch import check_account
from lake.tables import ERASURES, EVENTS, Lake
from tests.support.lake import TOPIC_ID, lake_in, rows, write_events
from tests.support.query_event import event


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two partitions, of five events and a rejected record each."""
    made = lake_in(tmp_path)
    for partition in range(2):
        write_events(made, [event(number) for number in range(5)] + [b"no event"], partition)
    return made


def _lose(lake: Lake, offset: int) -> None:
    lake.open(EVENTS).delete(f'partition = 0 AND "offset" = {offset}')


def _double(lake: Lake, offset: int) -> None:
    found = rows(lake).filter(pa.compute.field("offset") == offset).slice(0, 1)
    write_deltalake(lake.open(EVENTS), found, mode="append")


def test_an_account_closes(lake: Lake) -> None:
    found = account(lake, is_thorough=True)

    assert [(each.partition, each.position, each.events, each.rejected) for each in found] == [
        (0, 6, 5, 1),
        (1, 6, 5, 1),
    ]
    assert all(each.closes for each in found)


def test_a_loss_and_a_double_are_found_even_if_there_are_as_many(lake: Lake) -> None:
    _lose(lake, 2)
    [lost, whole] = account(lake, is_thorough=True)
    assert (lost.difference, lost.doubled, whole.closes) == (1, 0, True)

    _double(lake, 3)
    [hidden, _] = account(lake, is_thorough=True)
    assert (hidden.difference, hidden.doubled, hidden.closes) == (0, 1, False)


def test_what_an_erasure_took_is_in_the_account(lake: Lake) -> None:
    _lose(lake, 2)
    took = {"topic_id": TOPIC_ID, "partition": 0, "events": 1, "copies": 0, "rejected": 0}
    erasure = {"erasure_id": "e", "time": datetime.now(UTC), "user_key": "k", "reason": "r", "records": [took]}
    write_deltalake(lake.open(ERASURES), pa.Table.from_pylist([erasure], ERASURES.schema), mode="append")

    assert all(each.closes for each in account(lake, is_thorough=True))


def test_a_partition_that_the_lake_has_nothing_of_is_in_the_account_if_kafka_has_it(lake: Lake) -> None:
    found = account(lake, [(TOPIC_ID, 3)], is_thorough=False)

    assert [(each.partition, each.position, each.closes) for each in found] == [
        (0, 6, True),
        (1, 6, True),
        (2, 0, True),
    ]


def test_the_writers_check_is_a_metric_and_a_line(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    check_account(lake)
    assert ACCOUNT_DIFFERENCE._value.get() == 0  # pylint: disable=protected-access  # there is no other way
    _lose(lake, 2)
    with caplog.at_level(logging.ERROR):
        check_account(lake)

    assert ACCOUNT_DIFFERENCE._value.get() == 1  # pylint: disable=protected-access
    assert [record.getMessage() for record in caplog.records] == [
        "the account does not close by 1 offsets: see python -m lake reconcile"
    ]
