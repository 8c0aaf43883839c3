"""`sql` as a process of its own, whose time and memory end."""

import os
import subprocess
import sys
from time import monotonic

import pytest

from tests.support.lake import lake_in, write_events
from tests.support.marts import asked

_NAME = "ann-of-accounts"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake with two events."""
    lake = lake_in(tmp_path_factory.mktemp("sql"))
    write_events(lake, [asked(9, user=_NAME), asked(10)])
    return lake.settings.url


def sql(url: str, *arguments: str, standard_input: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "lake", "sql", *arguments],
        env=os.environ | {"LAKE_URL": url} | variables,
        input=standard_input,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_rows_are_printed_as_a_table_or_as_csv(url: str) -> None:
    statement = "SELECT day, hour, fields FROM events ORDER BY hour LIMIT 1"
    table = sql(url, statement)
    assert (table.returncode, table.stderr) == (0, "")
    assert table.stdout.splitlines()[0] == "day         hour  fields"
    csv = sql(url, "-", "--csv", standard_input=statement)
    assert csv.stdout.splitlines()[0] == "day,hour,fields"


def test_rows_beyond_the_limit_are_said_to_be_there(url: str) -> None:
    answer = sql(url, "FROM range(1000000000000)", LAKE_SQL_ROWS="3")
    assert answer.stdout.splitlines() == ["range", "0", "1", "2"]
    assert answer.stderr == "lake: there are more than 3 rows: see LAKE_SQL_ROWS\n"


@pytest.mark.parametrize(
    "statement",
    [
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "SELECT sum(hash(a.range * b.range)) FROM range(1000000) AS a, range(1000000) AS b",
    ],
)
def test_a_statement_without_an_end_is_ended(url: str, statement: str) -> None:
    start = monotonic()
    answer = sql(url, statement, LAKE_SQL_SECONDS="1")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "lake: the statement is ended, as it takes more than 1 s: see LAKE_SQL_SECONDS\n"
    assert monotonic() - start < 10


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT repeat('x', 1000000000) || range::VARCHAR FROM range(100)",
        "SELECT string_agg(repeat('x', 100000), '') FROM range(100000)",
    ],
)
def test_a_statement_that_wants_all_memory_gets_none(url: str, statement: str) -> None:
    answer = sql(url, statement, LAKE_SQL_MEMORY_MIB="128")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "lake: the statement takes more memory than it may: see LAKE_SQL_MEMORY_MIB\n"


def test_a_hostile_statement_is_one_line_without_a_look_on_the_trail(url: str) -> None:
    answer = sql(url, "FROM read_text('/etc/passwd')", "--names", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "lake: the table function 'read_text' cannot be used here\n"
