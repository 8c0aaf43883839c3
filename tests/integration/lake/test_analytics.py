"""The marts in PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from contracts.query_event.event import EventType
from lake.errors import LakeError
from lake.marts.build import publish, rebuild
from lake.tables import Lake
from tests.support.lake import lake_in, write_events
from tests.support.marts import TODAY, YESTERDAY, asked, mart_settings
from tests.support.paths import ROOT
from tests.support.postgresql import PostgreSQL, postgresql


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """A database for the tests of this file."""
    with postgresql() as running:
        ask(running, "CREATE ROLE writer LOGIN")
        ask(running, "CREATE ROLE dashboards LOGIN")
        yield running


@pytest.fixture
def lake(tmp_path: Path, server: PostgreSQL) -> Iterator[Lake]:
    """A lake with an event of yesterday and one of today; the database's schema goes after the test."""
    made = lake_in(tmp_path)
    write_events(made, [asked(9, took_ms=4), asked(10, day=TODAY, index="software")])
    yield made
    ask(server, "DROP SCHEMA IF EXISTS analytics CASCADE")


def ask(server: PostgreSQL, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement; its rows, if it has any."""
    with psycopg.connect(server.url) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


PANELS = orjson.loads((ROOT / "deploy/grafana/dashboards/warehouse.json").read_bytes())["panels"]
SEARCHES = 'SELECT day, hour, "index", outcome, searches, took_ms FROM analytics.mart_searches ORDER BY day'


def test_a_day_is_there_once_however_often_it_is_made_and_others_stay(lake: Lake, server: PostgreSQL) -> None:
    settings = mart_settings(lake, analytics_url=server.url)
    rebuild(settings, [YESTERDAY, TODAY])
    write_events(lake, [asked(9, took_ms=5)])
    rebuild(settings, [YESTERDAY])
    rebuild(settings, [YESTERDAY])
    assert ask(server, SEARCHES) == [
        (YESTERDAY, 9, "devices", "executed", 2, 9),
        (TODAY, 10, "software", "executed", 1, 1),
    ]


def test_two_that_write_the_same_day_at_once_write_it_once(lake: Lake, server: PostgreSQL) -> None:
    settings = mart_settings(lake, analytics_url=server.url)
    rebuild(settings, [YESTERDAY])
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: publish(settings, [YESTERDAY]), range(8)))
    assert ask(server, SEARCHES) == [(YESTERDAY, 9, "devices", "executed", 1, 4)]


def test_a_user_who_may_only_write_the_schema_is_enough_once_it_is_there(lake: Lake, server: PostgreSQL) -> None:
    ask(server, "CREATE SCHEMA analytics AUTHORIZATION writer")
    url = server.url.replace("sluice@", "writer@")
    rebuild(mart_settings(lake, analytics_url=url), [YESTERDAY])
    assert len(ask(server, SEARCHES)) == 1


def test_a_text_that_postgresql_cannot_keep_is_written_with_a_mark(lake: Lake, server: PostgreSQL) -> None:
    write_events(lake, [asked(11, index="a\0b")])
    rebuild(mart_settings(lake, analytics_url=server.url), [YESTERDAY])
    assert ("a\N{REPLACEMENT CHARACTER}b",) in ask(server, 'SELECT "index" FROM analytics.mart_searches')


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_each_panel_of_the_dashboard_finds_rows_as_a_user_who_only_reads(
    lake: Lake, server: PostgreSQL, panel: dict[str, Any]
) -> None:
    write_events(lake, [asked(9, user=None), asked(9, event_type=EventType.QUERY_DENIED, code="forbidden")])
    rebuild(mart_settings(lake, analytics_url=server.url), [YESTERDAY])
    ask(server, "GRANT USAGE ON SCHEMA analytics TO dashboards")
    ask(server, "GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO dashboards")
    (target,) = panel["targets"]
    # As Grafana writes the times of the picker.
    statement = target["rawSql"].replace("$__timeFrom()", f"'{YESTERDAY}T00:00:00Z'")
    statement = statement.replace("$__timeTo()", f"'{TODAY}T12:00:00Z'")
    with psycopg.connect(server.url.replace("sluice@", "dashboards@")) as connection:
        cursor = connection.execute(statement.encode())
        columns = [column.name for column in cursor.description or ()]
        rows = cursor.fetchall()
    assert rows
    assert target["format"] == "table" or columns[:2] == ["time", "metric"]
    if target["format"] == "time_series":
        assert {row[0].date() for row in rows} == {YESTERDAY}


def test_a_database_that_is_away_is_one_line_without_its_password(lake: Lake) -> None:
    settings = mart_settings(lake, analytics_url="postgres://sluice:secret-word@127.0.0.1:9/marts")
    with pytest.raises(LakeError, match="^LAKE_ANALYTICS_URL: ") as caught:
        publish(settings, [YESTERDAY])
    assert "secret-word" not in str(caught.value) and "\n" not in str(caught.value)
