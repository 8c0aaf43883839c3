"""Commits of batches to the lake's tables, each batch once.

The transaction of ``events`` is the one position: rows and next offsets are one atomic commit. ``gaps`` and
``rejected`` are committed before it, each with a transaction of its own, so that after a crash between the two they are
not written again. delta-rs refuses a commit where a transaction of the same name came since the table object was read,
and takes an older version where none did; so versions are compared on the object that then commits.
"""

from datetime import UTC, datetime

import pyarrow as pa
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError

from lake.serve.batch import Batch, Span
from lake.tables import EVENTS, GAPS, REJECTED, Lake, TableSpec, transaction_id

_STATISTICS = ColumnProperties(statistics_enabled="CHUNK")
_NO_STATISTICS = ColumnProperties(statistics_enabled="NONE")


class Writer:
    """Writes to the tables of one lake.

    Args:
        lake: the tables' place.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def positions(self, topic_id: str, partitions: list[int]) -> dict[int, int]:
        """The next offset to write of each partition.

        Raises:
            deltalake.exceptions.DeltaError: the table cannot be read.
            OSError: likewise.
        """
        return _versions(self._lake.open(EVENTS), topic_id, partitions)

    def commit(self, batch: Batch) -> bool:
        """Write a batch, unless it is there; may be called again after an error.

        Returns:
            Whether the batch is in the tables. If not, another writer has written some of its offsets, or none of
            those before them, and the batch must be dropped.

        Raises:
            deltalake.exceptions.DeltaError: the tables cannot be read or written, now; the batch may be there or not.
            OSError: likewise.
        """
        try:
            return self._commit(batch)
        except CommitFailedError:
            # Another commit came between, and the tables tell whose.
            return self._commit(batch)

    def rewind(self, topic_id: str, partition: int, end: int) -> None:
        """Let a partition's position be no later than the end that Kafka says it has.

        Raises:
            deltalake.exceptions.DeltaError: the tables cannot be read or written.
            OSError: likewise.
        """
        batch = Batch(topic_id, {partition: Span(end, end)})
        # The position that counts comes last.
        for spec in (GAPS, REJECTED, EVENTS):
            table = self._lake.open(spec)
            if _versions(table, topic_id, [partition])[partition] > end:
                _append(table, spec, spec.schema.empty_table(), batch, [partition])

    def _commit(self, batch: Batch) -> bool:
        spans = batch.moved
        table = self._lake.open(EVENTS)
        found = _versions(table, batch.topic_id, list(spans))
        # After an error that came once the commit was made.
        if all(found[partition] == span.next for partition, span in spans.items()):
            return True
        if any(found[partition] != span.start for partition, span in spans.items()):
            return False
        if batch.gaps:
            self._append_gaps(batch)
        if batch.rejected:
            self._append_rejected(batch)
        rows = pa.Table.from_batches(batch.events, EVENTS.schema)
        _append(table, EVENTS, rows, batch, list(spans))
        return True

    def _append_gaps(self, batch: Batch) -> None:
        table = self._lake.open(GAPS)
        written = _versions(table, batch.topic_id, list(batch.spans))
        noticed = datetime.now(UTC)
        rows = [
            {
                "topic_id": batch.topic_id,
                "partition": partition,
                "first": max(first, written[partition]),
                "next": end,
                "noticed": noticed,
            }
            for partition, first, end in batch.gaps
            if end > written[partition]
        ]
        partitions = [partition for partition, _, end in batch.gaps if end > written[partition]]
        if rows:
            _append(table, GAPS, pa.Table.from_pylist(rows, GAPS.schema), batch, partitions)

    def _append_rejected(self, batch: Batch) -> None:
        table = self._lake.open(REJECTED)
        written = _versions(table, batch.topic_id, list(batch.spans))
        rows = pa.Table.from_batches(batch.rejected, REJECTED.schema)
        rows = rows.filter(
            pa.array(
                offset >= written[partition]
                for partition, offset in zip(rows["partition"].to_pylist(), rows["offset"].to_pylist(), strict=True)
            )
        )
        if rows.num_rows:
            _append(table, REJECTED, rows, batch, rows["partition"].unique().to_pylist())


def _versions(table: DeltaTable, topic_id: str, partitions: list[int]) -> dict[int, int]:
    return {partition: table.transaction_version(transaction_id(topic_id, partition)) or 0 for partition in partitions}


def _append(table: DeltaTable, spec: TableSpec, rows: pa.Table, batch: Batch, partitions: list[int]) -> None:
    """Append rows and move the positions of these partitions to the ends of the batch's spans, at once."""
    transactions = [
        Transaction(transaction_id(batch.topic_id, partition), batch.spans[partition].next)
        for partition in sorted(set(partitions))
    ]
    properties = CommitProperties(app_transactions=transactions)
    if rows.num_rows == 0:
        table.create_write_transaction([], "append", pa.schema(spec.schema), commit_properties=properties)
        return
    write_deltalake(table, rows, mode="append", writer_properties=_file(spec), commit_properties=properties)


def _file(spec: TableSpec) -> WriterProperties:
    """How a file is written: statistics of personal columns would put names into its footer."""
    return WriterProperties(
        compression="ZSTD",
        compression_level=3,
        default_column_properties=_NO_STATISTICS,
        column_properties={name: _STATISTICS for name in spec.statistics},
    )
