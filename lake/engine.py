"""DuckDB over the lake's tables on one machine."""

import shutil
import tempfile
import weakref
from collections.abc import Iterable

import duckdb

from lake.tables import Lake, TableSpec

MEMORY_LIMIT = "1GiB"


def connect(lake: Lake, tables: Iterable[TableSpec], *, memory_limit: str = MEMORY_LIMIT) -> duckdb.DuckDBPyConnection:
    """Open DuckDB in memory, with a view of each table's live files under the table's name.

    The files are those of this moment: a commit that comes later is not seen, and a file that it removes stays until
    the next vacuum. What does not fit into memory goes to a folder of the connection's own, which goes with it. Spark's
    ``explode`` and ``xxhash64`` are there, so that both run the same statements; the hash is another.

    Args:
        lake: the tables' place.
        tables: the tables.
        memory_limit: how much DuckDB may take, as it writes it.

    Raises:
        deltalake.exceptions.DeltaError: a table cannot be read.
    """
    spill = tempfile.mkdtemp(prefix="sluice-lake-")
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "temp_directory": spill,
            # Nothing is downloaded.
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    weakref.finalize(connection, shutil.rmtree, spill, ignore_errors=True)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE MACRO explode(items) AS unnest(items)")
    connection.execute("CREATE MACRO xxhash64(text) AS hash(text)")
    for spec in tables:
        _show(connection, lake, spec)
    return connection


def _show(connection: duckdb.DuckDBPyConnection, lake: Lake, spec: TableSpec) -> None:
    table = lake.open(spec)
    if lake.settings.is_bucket:
        # DuckDB itself reads buckets by an extension, which is a download.
        connection.register(spec.name, table.to_pyarrow_dataset())
        return
    files = table.file_uris()
    if not files:
        connection.register(spec.name, spec.schema.empty_table())
        return
    names = ", ".join(quoted(file) for file in files)
    types = ", ".join(f"{name}: {_sql_type(spec, name)}" for name in spec.partition_by)
    hive = f"hive_partitioning = true, hive_types = {{{types}}}" if types else "hive_partitioning = false"
    connection.execute(f'CREATE VIEW "{spec.name}" AS SELECT * FROM read_parquet([{names}], {hive})')


def quoted(text: str) -> str:
    """Write a string of SQL, where no parameter can stand: in a view, or in a part of a statement."""
    return "'" + text.replace("'", "''") + "'"


def _sql_type(spec: TableSpec, column: str) -> str:
    return {"date32[day]": "DATE", "int32": "INTEGER", "string": "VARCHAR"}[str(spec.schema.field(column).type)]
