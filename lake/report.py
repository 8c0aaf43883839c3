"""Report of searches: rows of the mart ``mart_searches`` added up, as fresh as the events.

Days whose events have changed since the marts were made are counted from the events, by the mart's own SQL.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import duckdb

from lake import engine
from lake.marts.build import Progress, day_events
from lake.marts.tables import SEARCHES, mart_sql
from lake.tables import EVENTS, Lake

GROUPS = {
    "user": "user_key",
    "team": "team",
    "index": "index",
    "shape": "shape",
    "outcome": "outcome",
    "day": "day",
    "hour": "hour",
}
"""Columns of the mart by what a report can be grouped by."""

# With the interpreter and Arrow it is below 1 GiB.
_MEMORY_LIMIT = "640MiB"

SUMS = ("searches", "hits", "took_ms")


class Report(NamedTuple):
    """Rows below their headings, those with most searches first; and whether there are more."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    is_cut: bool


def report(lake: Lake, days: Sequence[date], by: Sequence[str], limit: int, *, names: bool = False) -> Report:
    """Add up the searches of days.

    Args:
        lake: the tables.
        days: the days, each after the one before it.
        by: keys of ``GROUPS``, one at least.
        limit: how many rows at most.
        names: whether users have their names beside their keys; then the look must be on the trail already.

    Raises:
        deltalake.exceptions.DeltaError: a table cannot be read.
        duckdb.Error: memory or disk do not suffice.
    """
    columns = [f'"{GROUPS[key]}"' for key in by]
    sums = [f'CAST(sum("{name}") AS BIGINT) AS "{name}"' for name in SUMS]
    with engine.connect(lake, [EVENTS, SEARCHES], memory_limit=_MEMORY_LIMIT) as connection:
        touched = sorted(Progress(lake).touched_days() & set(days))
        _count(connection, days, touched)
        connection.execute(
            f"CREATE TEMP TABLE report AS SELECT {', '.join(columns + sums)} FROM counted "
            f"GROUP BY {', '.join(columns)} ORDER BY searches DESC, {', '.join(columns)} LIMIT {limit + 1}"
        )
        if names:
            columns.insert(0, "(SELECT name FROM names WHERE names.user_key = report.user_key) AS name")
            _find_names(connection, days)
        order = ", ".join(f'"{GROUPS[key]}"' for key in by)
        rows = connection.sql(f"SELECT {', '.join([*columns, *SUMS])} FROM report ORDER BY searches DESC, {order}")
        found = rows.fetchall()
        return Report(rows.columns, found[:limit], len(found) > limit)


def _count(connection: duckdb.DuckDBPyConnection, days: Sequence[date], touched: Sequence[date]) -> None:
    """Make ``counted``: the mart's rows of days, those of touched days from the events."""
    span = [days[0], days[-1], list(touched)]
    connection.execute(
        "CREATE TEMP TABLE counted AS SELECT * FROM mart_searches "
        "WHERE day BETWEEN ? AND ? AND NOT list_contains(CAST(? AS DATE[]), day)",
        span,
    )
    for day in touched:
        day_events(connection, day)
        connection.execute(f"INSERT INTO counted BY NAME {mart_sql(SEARCHES, day)}")


def _find_names(connection: duckdb.DuckDBPyConnection, days: Sequence[date]) -> None:
    """Make ``names``: those of the report's keys, as the events of days have them."""
    connection.execute(
        "CREATE TEMP TABLE names AS SELECT user_key, min(user_id) AS name FROM events "
        "WHERE day BETWEEN ? AND ? AND user_key IN (SELECT user_key FROM report) GROUP BY user_key",
        [days[0], days[-1]],
    )
