"""Lines of an import: NDJSON, or CSV of which each record becomes one.

A cell of a member that is a string is its text; any other cell is JSON, and an empty one is no member. The header names
members, or has JSON pointers to members of objects: ``/OS/Type``.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import orjson

from gateway.http.json_media import too_large
from gateway.http.problems import Problem, malformed
from gateway.inventory.declarations import POINTER, DeclaredType
from gateway.inventory.documents import MAX_BYTES, MAX_MEMBERS, read_json
from gateway.inventory.json_schema import InvalidSchema, referenced
from kit.csv_cells import restore

MAX_LINE_BYTES = MAX_BYTES + 4 * 1024
"""A document, and what an import says of it."""
_NO_BYTES = b""
_OPTIONS = {"_id": True, "_parent": True, "_version": False, "_deleted": False}
"""Members of a line beside the document, and whether each is a text."""
# Of the whole process, which reads no other CSV: a text may be as long as its document.
csv.field_size_limit(MAX_LINE_BYTES)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an import, as JSON text; or the problem that it has none."""

    text: bytes
    problem: Problem | None = None


def ndjson_lines(parts: Iterable[bytes]) -> Iterator[Line]:
    """The lines of NDJSON, except empty ones.

    Args:
        parts: of the body, as they come.
    """
    for text in _split(parts):
        if text is None:
            yield Line(_NO_BYTES, too_large(MAX_LINE_BYTES))
        elif text.strip():
            yield Line(text)


def csv_lines(parts: Iterable[bytes], declared: DeclaredType) -> Iterator[Line]:
    """The records of CSV (RFC 4180) after its header.

    Raises:
        Problem: 400, the header or the quoting has a fault, after which no record could be told from the next; 413, a
            record is too long.
    """
    texts = _Texts(parts)
    records = csv.reader(texts, strict=True)
    try:
        header = next(records, None)
        if header is None:
            return
        columns = [column_of(name, declared) for name in _checked(header)]
        texts.length = 0
        for record in records:
            texts.length = 0
            if record:
                yield _line(columns, record)
    except csv.Error as error:
        raise malformed(f"The CSV has a fault at line {records.line_num}: {error}.") from None


def _split(parts: Iterable[bytes]) -> Iterator[bytes | None]:
    """Lines without their ends; None for one that is too long, of which no more is kept than may be."""
    rest, is_long = bytearray(), False
    for part in parts:
        *ended, last = part.split(b"\n")
        for piece in ended:
            if not is_long:
                rest += piece
            yield None if is_long or len(rest) > MAX_LINE_BYTES else bytes(rest)
            rest, is_long = bytearray(), False
        if not is_long:
            rest += last
        if len(rest) > MAX_LINE_BYTES:
            rest, is_long = bytearray(), True
    if is_long or rest:
        yield None if is_long else bytes(rest)


class _Texts:
    """Lines of CSV; ``length`` counts the bytes of those of one record, which quotes let go on over any number."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self.length = 0
        self._lines = enumerate(_split(parts), 1)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        number, text = next(self._lines)
        self.length += len(text or _NO_BYTES) + 1
        if text is None or self.length > MAX_LINE_BYTES:
            raise too_large(MAX_LINE_BYTES)
        try:
            # Excel begins a file with a byte order mark.
            return text.decode("utf-8-sig" if number == 1 else "utf-8") + "\n"
        except UnicodeDecodeError:
            raise malformed(f"Line {number} of the CSV is not UTF-8.") from None


def _checked(header: list[str]) -> list[str]:
    if len(header) > MAX_MEMBERS or len(set(header)) != len(header):
        raise malformed(f"The header of the CSV has a column twice, or more than {MAX_MEMBERS:,}.")
    for name in header:
        if not name or (name.startswith("/") and not POINTER.fullmatch(name)):
            raise malformed(f'The header of the CSV has the column "{name[:100]}", which names no member.')
    return header


@dataclass(frozen=True, slots=True)
class Column:
    """A column of CSV: the path to its member, and whether its cells are texts."""

    path: tuple[str, ...]
    is_text: bool


def column_of(name: str, declared: DeclaredType) -> Column:
    """The column of a name in a header.

    Raises:
        Problem: 400, the type has no such member.
    """
    steps = name.split("/")[1:] if name.startswith("/") else [name]
    path = tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
    if len(path) == 1 and path[0] in _OPTIONS:
        return Column(path, is_text=_OPTIONS[path[0]])
    if path[0] not in declared.properties:
        raise malformed(f'The header of the CSV has the column "{name[:100]}", which the type has no member for.')
    return Column(path, _is_text(declared.definition["schema"], path))


def _is_text(root: dict[str, Any], path: tuple[str, ...]) -> bool:
    schema: Any = root
    for step in path:
        schema = _followed(root, schema)
        schema = schema.get("properties", {}).get(step, schema.get("additionalProperties"))
    kinds = _followed(root, schema).get("type", [])
    return "string" in ([kinds] if isinstance(kinds, str) else kinds)


def _followed(root: dict[str, Any], schema: Any) -> dict[str, Any]:
    while isinstance(schema, dict) and "$ref" in schema:
        try:
            schema = referenced(root, schema["$ref"], "")
        except InvalidSchema:
            return {}
    return schema if isinstance(schema, dict) else {}


def _line(columns: list[Column], record: list[str]) -> Line:
    if len(record) != len(columns):
        return Line(_NO_BYTES, malformed(f"The record has {len(record):,} cells, and the header {len(columns):,}."))
    document: dict[str, Any] = {}
    for column, cell in zip(columns, record, strict=True):
        if not cell:
            continue
        try:
            value = restore(cell) if column.is_text else read_json(cell.encode())
        except Problem as problem:
            return Line(_NO_BYTES, malformed(f"The cell of {'/'.join(column.path)[:100]} {_refusal(cell, problem)}"))
        place = document
        for step in column.path[:-1]:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                return Line(_NO_BYTES, malformed(f"The columns give {step[:100]} a value and members."))
        place[column.path[-1]] = value
    return Line(orjson.dumps(document))


def _refusal(cell: str, problem: Problem) -> str:
    try:
        orjson.loads(cell)
    except orjson.JSONDecodeError:
        return "is no JSON, such as 3 or true."
    return f"is refused: {problem.detail}"
