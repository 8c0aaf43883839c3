"""Documents as an import reads them: without those that the index has with them, and as CSV.

CSV has a column a member, and JSON for each cell that is no string.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from gateway.inventory.declarations import DeclaredType
from gateway.inventory.import_lines import Column, column_of
from gateway.inventory.json_schema import escape
from gateway.inventory.mapping import Properties
from gateway.search.csv_stream import csv_parts
from kit.csv_cells import neutralise


def columns_of(declared: DeclaredType, fields: Sequence[str] | None) -> list[str]:
    """The names of columns: JSON pointers to all members that hold no others, or to those of the fields.

    Args:
        fields: names as a query has them, ``OS.Type``; None for all.
    """
    pointers = list(_pointers(declared.properties, ""))
    if fields is None:
        return pointers
    wanted = ["/" + "/".join(escape(step) for step in field.split(".")) for field in fields]
    return [pointer for each in wanted for pointer in pointers if pointer == each or pointer.startswith(f"{each}/")]


def documents_as_csv(
    parts: Iterable[bytes], declared: DeclaredType, names: Sequence[str], query_id: str
) -> Iterator[bytes]:
    """The documents of a type as CSV.

    Args:
        parts: whole lines, a document each.
        names: of the columns.
        query_id: the search's.
    """
    columns = [column_of(name, declared) for name in names]
    return csv_parts(parts, names, lambda document: [_cell(column, document) for column in columns], query_id)


def without_embedded(parts: Iterable[bytes], declared: DeclaredType) -> Iterator[bytes]:
    """The documents of a type that embeds others as NDJSON, each as it was written.

    Args:
        parts: whole lines, a document each.
    """
    for part in parts:
        documents = [orjson.loads(line) for line in part.splitlines()]
        yield b"".join(
            orjson.dumps({name: document[name] for name in document if name not in declared.embed}) + b"\n"
            for document in documents
        )


def _pointers(properties: Properties, path: str) -> Iterator[str]:
    for name, mapping in properties.items():
        place = f"{path}/{escape(name)}"
        if mapping.get("type", "object") == "object":
            yield from _pointers(mapping["properties"], place)
        else:
            yield place


def _cell(column: Column, document: Any) -> str:
    for step in column.path:
        document = document.get(step) if isinstance(document, dict) else None
    if document is None:
        return ""
    return neutralise(document) if column.is_text and isinstance(document, str) else orjson.dumps(document).decode()
