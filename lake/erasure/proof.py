"""Proof that a name is nowhere below the lake: every file is read, whether or not it is part of a table.

Of a Parquet file (data, or a checkpoint of a log), each column's values are decoded and searched, and the bytes that
are no column's, such as statistics. All other files are searched byte by byte, and each file's path is, too.
"""

from collections.abc import Iterator

import pyarrow as pa
from pyarrow import fs, parquet

from lake.erasure.name import Name
from lake.erasure.person import NOT_TEXTS
from lake.files import all_files, filesystem
from lake.tables import Lake

_BATCH_ROWS = 16_384
_PARQUET = ".parquet"


def hits(lake: Lake, name: Name) -> Iterator[tuple[str, int]]:
    """Find the files in which the name still is.

    Yields:
        A file's path below the lake, and how often the name is in it: values that have it, and one for its other bytes
        or its path.

    Raises:
        OSError: a file cannot be read.
    """
    files = filesystem(lake)
    for each in all_files(files):
        count = name.is_in(each.path.encode()) + _hits_in(files, each, name)
        if count:
            yield each.path, count


def _hits_in(files: fs.FileSystem, each: fs.FileInfo, name: Name) -> int:
    with files.open_input_file(each.path) as file:
        if each.path.endswith(_PARQUET):
            try:
                return _hits_in_parquet(parquet.ParquetFile(file), file, name)
            except pa.ArrowInvalid:
                # The half of a file.
                file.seek(0)
        return int(name.is_in(file.read()))


def _hits_in_parquet(content: parquet.ParquetFile, file: pa.NativeFile, name: Name) -> int:
    found = 0
    for batch in content.iter_batches(_BATCH_ROWS):
        for column, values in zip(batch.schema.names, batch.columns, strict=True):
            found += sum(_found(leaf, column, name) for leaf in _leaves(values))
    return found + int(name.is_in(_other_bytes(content.metadata, file)))


def _found(leaf: pa.Array, column: str, name: Name) -> int:
    return name.equal(leaf) if column in NOT_TEXTS else name.found(leaf)


def _leaves(values: pa.Array) -> Iterator[pa.Array]:
    """The texts and bytes of a column, however deep."""
    kind = values.type
    if pa.types.is_struct(kind):
        for child in values.flatten():
            yield from _leaves(child)
    elif pa.types.is_map(kind):
        yield from _leaves(values.keys)
        yield from _leaves(values.items)
    elif pa.types.is_nested(kind):
        yield from _leaves(values.flatten())
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        yield values


def _other_bytes(metadata: parquet.FileMetaData, file: pa.NativeFile) -> bytes:
    """All that lies before, between and after the columns."""
    spans = []
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            start = column.data_page_offset
            if column.has_dictionary_page:
                start = min(start, column.dictionary_page_offset)
            spans.append((start, start + column.total_compressed_size))
    parts, position = [], 0
    for start, end in [*sorted(spans), (file.size(), 0)]:
        file.seek(position)
        parts.append(file.read(max(0, start - position)))
        position = max(position, end)
    return b"\n".join(parts)
