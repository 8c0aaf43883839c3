"""Parquet file of a table, as small as it gets for what it costs."""

from collections.abc import Sequence

import pyarrow as pa
from pyarrow import parquet

BATCH_ROWS = 32_768
"""Rows that come at once."""

_GROUP_ROWS = 131_072
_COMPRESSION_LEVEL = 9


def write(output: pa.NativeFile, rows: pa.RecordBatchReader, schema: pa.Schema, statistics: Sequence[str]) -> int:
    """Write rows in their order, and hold no more of them than a row group.

    Args:
        output: the file.
        rows: batch by batch; columns as in the schema.
        schema: of the file.
        statistics: the columns with statistics; those of personal columns would put names into the file's footer.

    Returns:
        How many rows there were.

    Raises:
        OSError: the file cannot be written.
    """
    with parquet.ParquetWriter(
        output,
        schema,
        compression="zstd",
        compression_level=_COMPRESSION_LEVEL,
        write_statistics=list(statistics),
        store_schema=False,
    ) as writer:
        count = waiting = 0
        held: list[pa.RecordBatch] = []
        for batch in rows:
            held.append(batch)
            waiting += batch.num_rows
            if waiting >= _GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(held).cast(schema), _GROUP_ROWS)
                count, waiting, held = count + waiting, 0, []
        if held:
            writer.write_table(pa.Table.from_batches(held).cast(schema), _GROUP_ROWS)
    return count + waiting
