"""A stream of documents as CSV (RFC 4180): a column a field, as a spreadsheet takes it."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import orjson

from elastic.lenient_json import loads
from gateway.search.request import SearchPlan
from gateway.search.translator_client import fields
from kit.csv_cells import neutralise

MEDIA_TYPE = "text/csv"
CONTENT_TYPE = f"{MEDIA_TYPE}; charset=utf-8"


def csv_parts(
    parts: Iterable[bytes], header: Sequence[str], record: Callable[[Any], Sequence[str]], query_id: str
) -> Iterator[bytes]:
    """The parts of CSV, made of those of NDJSON.

    A failure on the way is a last record of one cell, the problem as JSON.

    Args:
        parts: whole lines, a document each.
        header: names of the columns.
        record: makes the cells of a document.
        query_id: the search's; a problem has it, and no document can.
    """
    yield _written([header])
    for part in parts:
        yield _written(_record(loads(line), record, query_id) for line in part.splitlines())


def columns_of(plan: SearchPlan) -> list[str]:
    """The names of the columns: the fields that were asked for, else all that the index has."""
    return plan.source if isinstance(plan.source, list) else _names(plan.index)


def documents_as_csv(parts: Iterable[bytes], names: Sequence[str], query_id: str) -> Iterator[bytes]:
    """The answer to a search as CSV: strings as they are, every other value as JSON, a missing one as an empty cell.

    Args:
        parts: whole lines, a document each.
        names: of the columns.
        query_id: the search's.
    """
    paths = [name.split(".") for name in names]
    return csv_parts(parts, [neutralise(name) for name in names], partial(_cells, paths), query_id)


def _names(index: str) -> list[str]:
    """The fields of an index that hold values, each once: no alias, no sub-field, nothing below a nested object."""
    listed = fields(index)["fields"]
    names = [field["name"] for field in listed if field["type"] != "object" and "alias_of" not in field]
    known = set(names)
    return [name for name in names if known.isdisjoint(_above(name))]


def _above(name: str) -> Iterator[str]:
    steps = name.split(".")
    return (".".join(steps[:length]) for length in range(1, len(steps)))


def _cells(paths: Sequence[Sequence[str]], document: Any) -> list[str]:
    return [_cell(_value(document, path)) for path in paths]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return neutralise(value) if isinstance(value, str) else orjson.dumps(value).decode()


def _value(value: Any, path: Sequence[str]) -> Any:
    """The value at a path: of a list of objects those of each; a member's name may have some of the path's dots."""
    if not path:
        return value
    if isinstance(value, list):
        found = [_value(each, path) for each in value]
        return [each for each in found if each is not None] or None
    if isinstance(value, dict):
        for length in range(1, len(path) + 1):
            name = ".".join(path[:length])
            if name in value:
                return _value(value[name], path[length:])
    return None


def _record(document: Any, record: Callable[[Any], Sequence[str]], query_id: str) -> Sequence[str]:
    problem = document.get("problem")
    if isinstance(problem, dict) and problem.get("query_id") == query_id:
        return [orjson.dumps(document).decode()]
    return record(document)


def _written(records: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(records)
    return text.getvalue().encode()
