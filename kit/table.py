"""Documents as an aligned table of plain text, safe to print on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from wcwidth import wcswidth

from kit.terminal import printable

MAX_CELL_CHARACTERS = 60


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Align columns by their width on a terminal.

    Args:
        columns: the headings.
        rows: one value a column: text, numbers, lists, objects or None.

    Yields:
        the lines.
    """
    cells = [[_cell(column) for column in columns], *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(wcswidth, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(
            text + " " * (width - wcswidth(text)) for text, width in zip(line, widths, strict=True)
        ).rstrip()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        text = ", ".join(map(_cell, value))
    elif isinstance(value, str):
        text = value
    else:
        text = orjson.dumps(value).decode()
    text = printable(text)
    return text if len(text) <= MAX_CELL_CHARACTERS else text[: MAX_CELL_CHARACTERS - 1] + "…"
