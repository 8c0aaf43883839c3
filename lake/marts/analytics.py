"""The marts in a database for dashboards: the schema ``analytics`` of PostgreSQL, or tables of SQLite."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from typing import Any, Protocol

import psycopg
import pyarrow as pa
from psycopg import sql
from pydantic import SecretStr

from lake.errors import LakeError, one_line
from lake.marts.settings import SQLITE
from lake.tables import TableSpec

_SCHEMA = "analytics"
_CONNECT_SECONDS = 3
_BUSY_SECONDS = 30.0
_LOCK = 0x51D1CE
"""Number of the lock in PostgreSQL that lets one process replace days at a time."""
_BATCH_ROWS = 10_000
_TYPES = {pa.date32(): "date", pa.int32(): "integer", pa.int64(): "bigint", pa.string(): "text"}

Row = Sequence[Any]


class Analytics(Protocol):  # pylint: disable=too-few-public-methods  # one thing is done with it
    """A database with the marts."""

    def replace(self, day: date, marts: Mapping[TableSpec, pa.RecordBatchReader]) -> None:
        """Replace a day's rows of marts in one transaction; tables that are missing are made.

        Raises:
            LakeError: the database cannot be reached or written; it is as it was.
        """


def analytics(url: SecretStr) -> Analytics:
    """Choose the database of a URL that ``MartSettings`` has checked."""
    text = url.get_secret_value()
    return SQLite(text.removeprefix(SQLITE)) if text.startswith(SQLITE) else PostgreSQL(text)


class SQLite:  # pylint: disable=too-few-public-methods  # one thing is done with it
    """A file of SQLite, whose tables have the marts' names; days are texts such as 2026-11-28.

    Args:
        path: the file.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def replace(self, day: date, marts: Mapping[TableSpec, pa.RecordBatchReader]) -> None:
        """As ``Analytics`` has it."""
        with _as_one_line("LAKE_ANALYTICS_URL", sqlite3.Error), closing(self._connect()) as connection:
            # Readers go on while a day is replaced.
            connection.execute("PRAGMA journal_mode = WAL")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                for mart, reader in marts.items():
                    columns = ", ".join(f'"{field.name}" {_TYPES[field.type]}' for field in mart.schema)
                    connection.execute(f'CREATE TABLE IF NOT EXISTS "{mart.name}" ({columns})')
                    connection.execute(f'CREATE INDEX IF NOT EXISTS "{mart.name}_day" ON "{mart.name}" ("day")')
                    connection.execute(f'DELETE FROM "{mart.name}" WHERE "day" = ?', [day.isoformat()])
                    places = ", ".join("?" * len(mart.schema))
                    connection.executemany(f'INSERT INTO "{mart.name}" VALUES ({places})', _sqlite_rows(reader))

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)


class PostgreSQL:  # pylint: disable=too-few-public-methods  # one thing is done with it
    """A database of PostgreSQL, in whose schema ``analytics`` tables have the marts' names.

    Args:
        url: the database, as libpq takes it.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def replace(self, day: date, marts: Mapping[TableSpec, pa.RecordBatchReader]) -> None:
        """As ``Analytics`` has it."""
        with _as_one_line("LAKE_ANALYTICS_URL", psycopg.Error), self._connect() as connection:
            # Two that replace the same day at once would both insert it.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [_SCHEMA]).fetchone() is None:
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_SCHEMA)))
            for mart, reader in marts.items():
                self._replace(connection, day, mart, reader)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url, connect_timeout=_CONNECT_SECONDS, application_name="sluice-lake")

    @staticmethod
    def _replace(connection: psycopg.Connection[Any], day: date, mart: TableSpec, reader: pa.RecordBatchReader) -> None:
        table = sql.Identifier(_SCHEMA, mart.name)
        if connection.execute("SELECT to_regclass(%s)", [f"{_SCHEMA}.{mart.name}"]).fetchone() == (None,):
            columns = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(_TYPES[field.type]))
                for field in mart.schema
            )
            connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, columns))
            connection.execute(sql.SQL('CREATE INDEX ON {} ("day")').format(table))
        connection.execute(sql.SQL('DELETE FROM {} WHERE "day" = %s').format(table), [day])
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
            for row in _rows(reader):
                # A text of PostgreSQL has no NUL.
                copy.write_row(
                    [
                        value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
                        for value in row
                    ]
                )


@contextmanager
def _as_one_line(variable: str, error_type: type[Exception]) -> Iterator[None]:
    try:
        yield
    except error_type as error:
        raise LakeError(f"{variable}: the marts cannot be written to the database: {one_line(error)}") from None


def _rows(reader: pa.RecordBatchReader) -> Iterator[Row]:
    for batch in reader:
        for start in range(0, batch.num_rows, _BATCH_ROWS):
            yield from zip(*(column.to_pylist() for column in batch.slice(start, _BATCH_ROWS).columns), strict=True)


def _sqlite_rows(reader: pa.RecordBatchReader) -> Iterator[Row]:
    """Rows with days as texts, which SQLite compares and Grafana reads."""
    for day, *others in _rows(reader):
        yield (day.isoformat(), *others)
