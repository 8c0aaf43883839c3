"""The marts of days, made again from the events: in the lake, and in the database for dashboards."""

from collections.abc import Iterable
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from lake import engine, lineage
from lake.marts.analytics import analytics
from lake.marts.settings import MartSettings
from lake.marts.tables import MARTS, SEARCHES, day_events_sql, mart_sql
from lake.spark import marts as spark
from lake.tables import EVENTS, Lake

_PROPERTIES = WriterProperties(compression="ZSTD", compression_level=3)
_COUNTED = "events"
"""Name of the transaction of ``mart_searches`` whose version is that of ``events`` up to which the marts count."""
_BATCH_ROWS = 65_536


def rebuild(settings: MartSettings, days: Iterable[date], *, by_spark: bool = False) -> None:
    """Replace all marts of days: in the lake table by table, then in the database a day at a time.

    What was made of a day before is gone afterwards, whether or not it still has events; to do it again changes
    nothing.

    Args:
        settings: the lake's, and the database's.
        days: the days, in UTC.
        by_spark: make them by Spark, not by DuckDB; the rows are the same.

    Raises:
        deltalake.exceptions.DeltaError: a table cannot be read or written, or somebody else writes the same day.
        LakeError: the database cannot be written, or Spark fails.
    """
    days = sorted(days)
    lake = Lake(settings)
    with lineage.run(settings, "marts", [EVENTS], MARTS):
        if by_spark:
            spark.write(lake, days)
        else:
            with engine.connect(lake, [EVENTS]) as connection:
                for day in days:
                    _write(lake, connection, day)
    publish(settings, days)


def publish(settings: MartSettings, days: Iterable[date]) -> None:
    """Copy the marts of days from the lake to the database, if there is one.

    Raises:
        deltalake.exceptions.DeltaError: a table cannot be read.
        LakeError: the database cannot be written.
    """
    if settings.analytics_url is None:
        return
    lake = Lake(settings)
    database = analytics(settings.analytics_url)
    datasets = {mart: lake.open(mart).to_pyarrow_dataset() for mart in MARTS}
    for day in days:
        database.replace(
            day,
            {
                mart: dataset.scanner(mart.schema.names, filter=ds.field("day") == day).to_reader()
                for mart, dataset in datasets.items()
            },
        )


def day_events(connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """Make ``day_events`` of a day in DuckDB, in place of that of another; a view, of which each mart reads little."""
    connection.execute(f"CREATE OR REPLACE TEMP VIEW day_events AS {day_events_sql(day)}")


def _write(lake: Lake, connection: duckdb.DuckDBPyConnection, day: date) -> None:
    day_events(connection, day)
    for mart in MARTS:
        rows: pa.RecordBatchReader = connection.sql(mart_sql(mart, day)).to_arrow_reader(_BATCH_ROWS)
        write_deltalake(
            lake.open(mart),
            rows,
            mode="overwrite",
            predicate=f"day = '{day.isoformat()}'",
            writer_properties=_PROPERTIES,
        )


class Progress:
    """How far the marts count the events.

    Args:
        lake: the tables; those of this moment.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._events = lake.open(EVENTS)

    def touched_days(self) -> set[date]:
        """Days whose events are not those of which the marts were last made: all days before the first time."""
        now = set(self._events.file_uris())
        version = self._lake.open(SEARCHES).transaction_version(_COUNTED)
        return {_day(file) for file in now ^ self._files_at(version)}

    def save(self) -> None:
        """Keep that the marts count these events.

        Raises:
            deltalake.exceptions.DeltaError: the table cannot be written.
        """
        transaction = Transaction(_COUNTED, self._events.version())
        self._lake.open(SEARCHES).create_write_transaction(
            [], "append", SEARCHES.schema, commit_properties=CommitProperties(app_transactions=[transaction])
        )

    def _files_at(self, version: int | None) -> set[str]:
        if version is None:
            return set()
        try:
            return set(DeltaTable(self._events.table_uri, version, self._lake.storage_options).file_uris())
        except DeltaError:
            # The log keeps a week of versions.
            return set()


def _day(file: str) -> date:
    part = next(part for part in file.split("/") if part.startswith("day="))
    return date.fromisoformat(part.removeprefix("day="))
