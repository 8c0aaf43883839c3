"""Rewriting of files: in one commit, rows of live files are written again and exactly those files leave the table.

A commit that appends rows meanwhile is kept, because only the files that were read are removed. Two rewritings of one
table exclude each other by the transaction ``rewriting``: delta-rs itself would take both, and double the rows.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import duckdb
import orjson
import pyarrow as pa
import pyarrow.dataset
from deltalake import CommitProperties, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from lake.data_file import BATCH_ROWS, write
from lake.errors import LakeError
from lake.files import filesystem
from lake.tables import Lake, TableSpec

_COMPACTED = "compacted-"
"""Beginning of the names of files that are the only one of their hour, with one row an event."""

_OTHER = "rewritten-"

MEMORY_LIMIT = "768MiB"
_TRANSACTION = "rewriting"

Partition = tuple[tuple[str, str], ...]
"""Partition columns and their values, as the log has them; empty in a table without."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A live file: its path below the table, and its bytes."""

    path: str
    size: int

    @property
    def is_compacted(self) -> bool:
        """Whether it was written by a compaction, or in the place of such a file."""
        return self.path.rpartition("/")[2].startswith(_COMPACTED)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of some files as the view ``rows`` of a connection, without the partition's columns."""

    connection: duckdb.DuckDBPyConnection

    def one(self, query: str) -> tuple[Any, ...]:
        """The one row of a query's answer."""
        [row] = self.all(query)
        return row

    def all(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query's answer."""
        return self.connection.execute(query).fetchall()


class Rewriting:  # pylint: disable=too-many-instance-attributes  # a table, and what replaces what in it
    """A rewriting of a table, as it was when this was made; as a context, it deletes what is written and not committed.

    Args:
        lake: the tables.
        spec: the table.
        memory_limit: how much DuckDB may take, as it writes it; the rest goes to a folder of temporary files.

    Raises:
        deltalake.exceptions.DeltaError: the table cannot be read.
        OSError: likewise.
    """

    def __init__(self, lake: Lake, spec: TableSpec, memory_limit: str = MEMORY_LIMIT) -> None:
        self._lake = lake
        self._spec = spec
        self._memory_limit = memory_limit
        self.table = lake.open(spec)
        self.files: dict[Partition, list[DataFile]] = {}
        """The live files, by partition."""
        columns = ["path", "size_bytes", *(f"partition.{name}" for name in spec.partition_by)]
        for action in pa.table(self.table.get_add_actions(flatten=True)).select(columns).to_pylist():
            partition = tuple((name, str(action[f"partition.{name}"])) for name in spec.partition_by)
            self.files.setdefault(partition, []).append(DataFile(action["path"], action["size_bytes"]))
        self._files = filesystem(lake, spec)
        self._schema = pa.schema([field for field in spec.schema if field.name not in spec.partition_by])
        self._statistics_of = [name for name in spec.statistics if name in self._schema.names]
        self._written: list[str] = []
        self._actions: list[AddAction | RemoveAction] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for path in self._written:
            # One that is left goes with the next vacuum.
            with suppress(OSError):
                self._files.delete_file(path)

    @contextmanager
    def rows(self, files: Sequence[DataFile]) -> Iterator[Rows]:
        """Open DuckDB with the rows of some files.

        Args:
            files: some of the live files.
        """
        with (
            TemporaryDirectory(prefix="sluice-lake-") as folder,
            duckdb.connect(
                config={
                    "memory_limit": self._memory_limit,
                    "temp_directory": folder,
                    "preserve_insertion_order": "false",
                    # Nothing is downloaded.
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                }
            ) as connection,
        ):
            connection.execute("SET TimeZone = 'UTC'")
            self._show(connection, [file.path for file in files])
            yield Rows(connection)

    def replace(
        self, partition: Partition, files: Sequence[DataFile], rows: Rows, query: str, *, compacts: bool = False
    ) -> DataFile | None:
        """Write the answer of a query in the place of files, by the next commit.

        Args:
            partition: of the files.
            files: some of its live files.
            rows: of those files.
            query: gives the table's columns, in any order.
            compacts: whether the new file has one row an event.

        Returns:
            The new file; None where the answer has no row.
        """
        folder = "".join(f"{name}={value}/" for name, value in partition)
        prefix = _COMPACTED if compacts or all(file.is_compacted for file in files) else _OTHER
        path = f"{folder}{prefix}{uuid.uuid4()}.zstd.parquet"
        self._written.append(path)
        count = self._write(path, rows, query)
        now = time.time_ns() // 1_000_000
        new = None
        if count == 0:
            self._files.delete_file(self._written.pop())
        else:
            new = DataFile(path, self._files.get_file_info(path).size)
            self._actions.append(AddAction(path, new.size, dict(partition), now, False, self._statistics(new)))
        self._actions += [RemoveAction(file.path, False, now, file.size, dict(partition)) for file in files]
        return new

    def commit(self, *transactions: Transaction) -> None:
        """Put all replacements into the table at once, or none.

        Args:
            transactions: of the same commit.

        Raises:
            LakeError: somebody else has rewritten files since the table was read.
            deltalake.exceptions.DeltaError: the table cannot be written.
            OSError: likewise.
        """
        if not self._actions and not transactions:
            return
        # Whatever the error, the commit may have been made, and the files be part of the table.
        written, self._written = self._written, []
        try:
            self.table.create_write_transaction(
                self._actions,
                "append",
                pa.schema(self._spec.schema),
                partition_by=list(self._spec.partition_by),
                commit_properties=CommitProperties(
                    app_transactions=[Transaction(_TRANSACTION, self.table.version() + 1), *transactions]
                ),
            )
        except CommitFailedError as error:
            live = set(pa.table(self._lake.open(self._spec).get_add_actions())["path"].to_pylist())
            if not live.isdisjoint(written):
                # A bucket's answer was lost, and the client's second try met the first.
                return
            self._written = written
            raise LakeError(
                f"{self._spec.name}: another command has rewritten it meanwhile, so nothing was changed; run this again"
            ) from error

    def _show(self, connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
        connection.execute("DROP VIEW IF EXISTS rows")
        if self._lake.settings.is_bucket:
            # DuckDB itself reads buckets by an extension, which is a download.
            files = pyarrow.dataset.dataset(list(paths), self._schema, "parquet", filesystem=self._files)
            connection.register("rows", files)
            return
        root = Path(self._lake.url(self._spec))
        connection.from_parquet([str(root / path) for path in paths], hive_partitioning=False).create_view("rows")

    def _write(self, path: str, rows: Rows, query: str) -> int:
        columns = ", ".join(f'"{name}"' for name in self._schema.names)
        answer = rows.connection.sql(f"SELECT {columns} FROM ({query})").to_arrow_reader(BATCH_ROWS)
        with self._files.open_output_stream(path) as output:
            return write(output, answer, self._schema, self._statistics_of)

    def _statistics(self, file: DataFile) -> str:
        """The file's statistics as the log has them, of what was written and not of what should have been."""
        bounds = "".join(f', min("{name}"), max("{name}")' for name in self._statistics_of)
        with self.rows([file]) as rows:
            count, *values = rows.one(f"SELECT count(*){bounds} FROM rows")
        return orjson.dumps(
            {
                "numRecords": count,
                "minValues": dict(zip(self._statistics_of, values[::2], strict=True)),
                "maxValues": dict(zip(self._statistics_of, values[1::2], strict=True)),
            },
            option=orjson.OPT_UTC_Z,
        ).decode()
