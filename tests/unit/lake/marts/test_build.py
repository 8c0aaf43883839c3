"""The marts of days, from small lakes, with rows that were computed by hand."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.query_event.event import EventType
from lake.engine import connect
from lake.errors import LakeError
from lake.marts.build import Progress, rebuild
from lake.marts.tables import ANONYMOUS_READS, FIELDS, LATENCY, MARTS, REFUSALS, SEARCHES
from lake.tables import EVENTS, Lake, TableSpec
from lake.user_key import UserKeys
from tests.support.lake import lake_in, settings_in, write_events
from tests.support.marts import TODAY, YESTERDAY, asked, mart_settings


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake without rows."""
    return lake_in(tmp_path)


def key(user: str) -> str:
    """A user's key."""
    return UserKeys(settings_in(Path("/"))).of(user)


def rows(lake: Lake, mart: TableSpec) -> list[tuple[Any, ...]]:
    """A mart's rows, in the order of their texts."""
    with connect(lake, [mart]) as connection:
        columns = ", ".join(f'"{name}"' for name in mart.schema.names)
        return sorted(connection.sql(f"SELECT {columns} FROM {mart.name}").fetchall(), key=str)


def test_searches_are_counted_with_what_they_cost_by_user_index_shape_outcome_and_hour(lake: Lake) -> None:
    write_events(
        lake,
        [
            asked(9, took_ms=5),
            asked(9, took_ms=7, query="Hostname = other"),
            asked(9, took_ms=11, query="Os = x"),
            asked(10, took_ms=13),
            asked(10, user="bob", took_ms=None, event_type=EventType.QUERY_DENIED, code="forbidden"),
            asked(10, event_type=EventType.INVENTORY_READ),
        ],
    )
    rebuild(mart_settings(lake), [YESTERDAY])
    ann, bob = key("ann"), key("bob")
    assert rows(lake, SEARCHES) == sorted(
        [
            (YESTERDAY, 9, ann, None, "devices", "Hostname = ?", "executed", 2, 20, 12),
            (YESTERDAY, 9, ann, None, "devices", "Os = ?", "executed", 1, 10, 11),
            (YESTERDAY, 10, ann, None, "devices", "Hostname = ?", "executed", 1, 10, 13),
            (YESTERDAY, 10, bob, None, "devices", "Hostname = ?", "denied", 1, 10, 0),
        ],
        key=str,
    )


def test_percentiles_of_latency_are_those_of_the_nearest_rank(lake: Lake) -> None:
    write_events(lake, [asked(9, took_ms=took) for took in reversed(range(1, 21))] + [asked(10, took_ms=3)])
    rebuild(mart_settings(lake), [YESTERDAY])
    assert rows(lake, LATENCY) == sorted(
        [(YESTERDAY, 9, "devices", 20, 10, 19, 20, 20), (YESTERDAY, 10, "devices", 1, 3, 3, 3, 3)], key=str
    )


def test_refusals_are_those_denied_throttled_or_unknown_and_not_those_that_failed(lake: Lake) -> None:
    write_events(
        lake,
        [
            asked(9, event_type=EventType.QUERY_DENIED, code="forbidden"),
            asked(9, event_type=EventType.QUERY_DENIED, code="forbidden"),
            asked(9, user=None, event_type=EventType.AUTH_FAILED, code="unauthenticated", index=None),
            asked(9, event_type=EventType.QUERY_FAILED, code="unavailable"),
        ],
    )
    rebuild(mart_settings(lake), [YESTERDAY])
    found = {row[2]: row[3:] for row in rows(lake, REFUSALS)}
    assert found == {
        "query.denied": ("forbidden", 403, "devices", key("ann"), "192.0.2.0/24", None, 2),
        "auth.failed": ("unauthenticated", 403, None, None, "192.0.2.0/24", None, 1),
    }


def test_reads_without_a_name_are_counted_by_network(lake: Lake) -> None:
    write_events(lake, [asked(9, user=None), asked(9, user=None), asked(9)])
    rebuild(mart_settings(lake), [YESTERDAY])
    assert rows(lake, ANONYMOUS_READS) == [(YESTERDAY, 9, "query.executed", "devices", "192.0.2.0/24", None, 2, 20)]


def test_fields_are_counted_in_searches_and_users(lake: Lake) -> None:
    write_events(lake, [asked(9, query="Hostname = a AND Os = b"), asked(9), asked(9, user="bob")])
    rebuild(mart_settings(lake), [YESTERDAY])
    assert rows(lake, FIELDS) == [(YESTERDAY, "devices", "Hostname", 3, 2), (YESTERDAY, "devices", "Os", 1, 1)]


def test_an_event_that_came_twice_is_counted_once(lake: Lake) -> None:
    twice = asked(9)
    write_events(lake, [twice, twice])
    write_events(lake, [msgspec.structs.replace(twice)], partition=1)
    rebuild(mart_settings(lake), [YESTERDAY])
    assert [row[7] for row in rows(lake, SEARCHES)] == [1]


def test_a_day_made_again_is_replaced_and_others_stay(lake: Lake) -> None:
    write_events(lake, [asked(9), asked(9, day=TODAY)])
    rebuild(mart_settings(lake), [YESTERDAY, TODAY])
    write_events(lake, [asked(9)])
    rebuild(mart_settings(lake), [YESTERDAY])
    rebuild(mart_settings(lake), [YESTERDAY])
    assert [(row[0], row[7]) for row in rows(lake, SEARCHES)] == [(YESTERDAY, 2), (TODAY, 1)]


def test_a_day_whose_events_are_gone_has_no_marts(lake: Lake) -> None:
    write_events(lake, [asked(9), asked(9, user=None, event_type=EventType.QUERY_DENIED)])
    rebuild(mart_settings(lake), [YESTERDAY])
    lake.open(EVENTS).delete()
    rebuild(mart_settings(lake), [YESTERDAY])
    assert {mart.name: rows(lake, mart) for mart in MARTS} == {mart.name: [] for mart in MARTS}


def test_days_are_touched_until_the_marts_have_been_made_of_them(lake: Lake) -> None:
    write_events(lake, [asked(9), asked(9, day=TODAY)])
    progress = Progress(lake)
    assert progress.touched_days() == {YESTERDAY, TODAY}
    progress.save()
    assert Progress(lake).touched_days() == set()
    write_events(lake, [asked(9)])
    assert Progress(lake).touched_days() == {YESTERDAY}


def test_no_name_is_in_any_mart(lake: Lake) -> None:
    write_events(lake, [asked(9, user="ann-of-accounts", query="Owner = ann-of-accounts")])
    rebuild(mart_settings(lake), [YESTERDAY])
    assert "ann-of-accounts" not in str([rows(lake, mart) for mart in MARTS])


@pytest.fixture
def sqlite(tmp_path: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    """Asks the database of the tests."""

    def ask(statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(tmp_path / "marts.sqlite3")) as connection:
            return connection.execute(statement).fetchall()

    return ask


def test_sqlite_has_the_marts_of_a_day_once_however_often_they_are_made(
    lake: Lake, tmp_path: Path, sqlite: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    database = mart_settings(lake, analytics_url=f"sqlite:///{tmp_path / 'marts.sqlite3'}")
    write_events(lake, [asked(9, took_ms=4), asked(9, day=TODAY)])
    rebuild(database, [YESTERDAY, TODAY])
    rebuild(database, [YESTERDAY])
    statement = 'SELECT day, hour, "index", searches, took_ms FROM mart_searches ORDER BY day'
    assert sqlite(statement) == [
        (YESTERDAY.isoformat(), 9, "devices", 1, 4),
        (TODAY.isoformat(), 9, "devices", 1, 1),
    ]


def test_a_database_that_cannot_be_written_is_named_by_its_variable(lake: Lake, tmp_path: Path) -> None:
    database = mart_settings(lake, analytics_url=f"sqlite:///{tmp_path / 'missing' / 'marts.sqlite3'}")
    with pytest.raises(LakeError, match="^LAKE_ANALYTICS_URL: .*unable to open database file"):
        rebuild(database, [YESTERDAY])
