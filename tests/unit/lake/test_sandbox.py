"""The analysts' sandbox: what it answers, and hostile statements, none of which may reach a name or a file."""

import re
from datetime import date
from pathlib import Path

import pytest

from lake.errors import LakeError
from lake.marts.build import rebuild
from lake.sandbox import ANALYSTS_COLUMNS, Sandbox
from lake.tables import EVENTS
from tests.support.lake import lake_in, write_events
from tests.support.marts import YESTERDAY, asked, mart_settings

_NAME = "ann-of-accounts"
_SECRET_QUERY = "Owner = ann-of-accounts"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake's folder with two events, and their marts."""
    made = tmp_path_factory.mktemp("sandbox")
    lake = lake_in(made)
    write_events(lake, [asked(9, user=_NAME, query=_SECRET_QUERY), asked(10, user="bob", took_ms=5)])
    rebuild(mart_settings(lake), [YESTERDAY])
    return made


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Sandbox:
    """A sandbox over the lake, which no statement changes."""
    return Sandbox(lake_in(folder), memory_mib=256, threads=1)


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT hour, shape, took_ms FROM events ORDER BY hour", [(9, "Owner = ?", 1), (10, "Hostname = ?", 5)]),
        ("FROM mart_latency SELECT sum(searches)", [(2,)]),
        ("WITH busy AS (SELECT hour FROM events) SELECT count(*) FROM busy, range(3)", [(6,)]),
        ("SELECT count(*) FROM events WHERE day = (SELECT max(day) FROM mart_searches);", [(2,)]),
        ("SELECT unnest(fields) AS field FROM events ORDER BY ALL -- by name", [("Hostname",), ("Owner",)]),
        ("SELECT hour FROM Events UNION ALL SELECT 7 ORDER BY hour LIMIT 1", [(7,)]),
        ("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT max(i) FROM n", [(4,)]),
        ("SELECT row_number() OVER (ORDER BY hour) FROM events", [(1,), (2,)]),
    ],
)
def test_statements_over_the_tables_are_answered(sandbox: Sandbox, statement: str, rows: list[object]) -> None:
    assert sandbox.run(statement, limit=10)[1] == rows


def test_events_have_the_analysts_columns_and_describe_tells_them(sandbox: Sandbox) -> None:
    assert tuple(row[0] for row in sandbox.run("DESCRIBE events", 100)[1]) == ANALYSTS_COLUMNS


def test_one_row_more_than_the_limit_says_that_there_are_more(sandbox: Sandbox) -> None:
    assert len(sandbox.run("SELECT * FROM range(1000000000000)", limit=5)[1]) == 6


def test_nothing_that_an_analyst_can_read_has_a_name(sandbox: Sandbox) -> None:
    tables = ["events", "mart_searches", "mart_latency", "mart_refusals", "mart_anonymous_reads", "mart_fields"]
    assert not [table for table in tables if _NAME in str(sandbox.run(f"FROM {table}", 100))]


@pytest.mark.parametrize("column", sorted(set(EVENTS.schema.names) - set(ANALYSTS_COLUMNS)))
def test_a_column_that_analysts_do_not_have_is_not_there(sandbox: Sandbox, column: str) -> None:
    with pytest.raises(LakeError, match=f'column "?{column}"? not found'):
        sandbox.run(f'SELECT "{column}" FROM events', 10)


def test_auditors_have_all_columns(folder: Path) -> None:
    auditor = Sandbox(lake_in(folder), memory_mib=256, threads=1, names=True)
    assert auditor.run("SELECT user_id, query FROM events ORDER BY hour LIMIT 1", 10)[1] == [(_NAME, _SECRET_QUERY)]


_HOSTILE = {
    "nothing": "",
    "several": "SELECT 1; SELECT 2",
    "COPY out": "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY in": "COPY events FROM '/etc/passwd'",
    "ATTACH": "ATTACH '{folder}/x.db'",
    "INSTALL": "INSTALL httpfs",
    "LOAD": "LOAD httpfs",
    "SET": "SET enable_external_access = true",
    "RESET": "RESET lock_configuration",
    "PRAGMA": "PRAGMA database_list",
    "CALL": "CALL duckdb_settings()",
    "CREATE VIEW": "CREATE VIEW v AS SELECT 1",
    "CREATE TABLE": "CREATE TABLE t AS FROM range(10)",
    "CREATE MACRO": "CREATE MACRO m() AS 1",
    "CREATE SECRET": "CREATE SECRET (TYPE s3)",
    "DELETE": "DELETE FROM events",
    "INSERT in WITH": "WITH x AS (INSERT INTO events VALUES (1) RETURNING *) FROM x",
    "EXPORT": "EXPORT DATABASE '{folder}/out'",
    "EXPLAIN": "EXPLAIN ANALYZE SELECT 1",
    "PREPARE": "PREPARE p AS SELECT 1",
    "SHOW": "SHOW ALL TABLES",
    "read_parquet": "FROM read_parquet('{folder}/lake/events/**/*.parquet')",
    "parquet_scan": "FROM parquet_scan(['{folder}/lake/events/x.parquet'])",
    "parquet_metadata": "FROM parquet_metadata('{folder}/lake/events/**/*.parquet')",
    "read_text": "FROM read_text('/etc/passwd')",
    "read_blob": "SELECT (SELECT content FROM read_blob('/etc/passwd'))",
    "read_csv": "FROM read_csv('/etc/passwd')",
    "read_json": "SELECT 1 WHERE EXISTS (FROM read_json('/etc/passwd'))",
    "glob": "FROM glob('/**')",
    "sniff_csv": "FROM sniff_csv('/etc/passwd')",
    "a file as a table": "FROM '{folder}/lake/events/x.parquet'",
    "a file in double quotes": 'FROM "/etc/passwd.csv"',
    "a file in a subquery": "SELECT (SELECT count(*) FROM '/etc/passwd.csv')",
    "a file in a lambda": "SELECT list_transform([1], x -> (SELECT count(*) FROM '/etc/passwd.csv'))",
    "a file in ORDER BY": "SELECT 1 ORDER BY (SELECT count(*) FROM '/etc/passwd.csv')",
    "a file behind a name": ("WITH \"/etc/passwd.csv\" AS (SELECT 1) SELECT 1 FROM '/etc/passwd.csv'"),
    "a file in a join": "SELECT 1 FROM events JOIN '/etc/passwd.csv' ON true",
    "a file in PIVOT": "FROM (PIVOT '/etc/passwd.csv' ON a USING count(*))",
    "query": "FROM query('FROM duckdb_settings()')",
    "query_table": "FROM query_table('duckdb_settings')",
    "an address in memory": "FROM arrow_scan(1::POINTER, 1::POINTER, 1::POINTER)",
    "a plan that has one": "SELECT json_serialize_plan('FROM arrow_scan(1, 1, 1)')",
    "a statement as JSON": "FROM json_execute_serialized_sql('{{}}')",
    "a variable of Python's": "FROM sandbox",
    "secrets": "FROM duckdb_secrets()",
    "settings": "FROM duckdb_settings()",
    "views": "FROM duckdb_views",
    "views behind a name": "SELECT 1 FROM (WITH duckdb_views AS (SELECT 1) FROM duckdb_views), duckdb_views",
    "catalogue": "FROM information_schema.tables",
    "pg_catalog": "FROM pg_catalog.pg_class",
    "another schema": "FROM main.events",
    "sqlite_master": "FROM sqlite_master",
    "a setting": "SELECT current_setting('temp_directory')",
    "a setting, written otherwise": "SELECT system.main.Current_Setting('home_directory')",
    "a setting as a method": "SELECT 'home_directory'.current_setting()",
    "the environment": "SELECT getenv('HOME')",
    "a view's text": "SELECT pg_get_viewdef(1)",
    "the log": "SELECT write_log('x')",
    "too long": "SELECT 1 -- " + "x" * 65_536,
    "too deep": "SELECT " + "(" * 3_000 + "1" + ")" * 3_000,
    "nested lists": "SELECT " + "[" * 500 + "]" * 500,
    "AT": "FROM nowhere AT (VERSION => 1)",
}


@pytest.mark.parametrize("statement", _HOSTILE.values(), ids=_HOSTILE)
def test_a_hostile_statement_is_refused_in_one_line(sandbox: Sandbox, folder: Path, statement: str) -> None:
    before = sorted(folder.rglob("*"))
    with pytest.raises(LakeError) as caught:
        sandbox.run(statement.replace("{folder}", str(folder)), 10)
    assert re.fullmatch(r"(?!the statement fails)[^\n]+", str(caught.value)), "it was run"
    assert sorted(folder.rglob("*")) == before


def test_a_file_is_out_of_reach_even_of_a_statement_that_was_not_checked(folder: Path) -> None:
    unchecked = Sandbox(lake_in(folder), memory_mib=256, threads=1)
    unchecked.check = lambda statement: None  # type: ignore[method-assign]
    for statement in (
        f"FROM read_parquet('{folder}/lake/events/**/*.parquet')",
        "FROM read_text('/etc/passwd')",
        "FROM '/etc/passwd.csv'",
        "FROM glob('/*')",
    ):
        with pytest.raises(LakeError, match="disabled by configuration|does not exist"):
            unchecked.run(statement, 10)


def test_memory_is_bounded(sandbox: Sandbox) -> None:
    with pytest.raises(LakeError, match="more memory than it may: see LAKE_SQL_MEMORY_MIB$"):
        sandbox.run("SELECT string_agg(repeat('x', 100_000), '') FROM range(100_000)", 10)


def test_tables_that_have_not_been_made_are_empty(tmp_path: Path) -> None:
    nothing = Sandbox(lake_in(tmp_path), memory_mib=256, threads=1)
    assert nothing.run("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM mart_fields)", 10)[1] == [(0, 0)]
    assert not any(tmp_path.iterdir())


def test_days_are_days(sandbox: Sandbox) -> None:
    columns, ((day,),) = sandbox.run("SELECT DISTINCT day FROM events", 10)
    assert columns == ["day"] and isinstance(day, date)
