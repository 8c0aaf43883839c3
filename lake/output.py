"""Rows as a command prints them: a table for a terminal, or CSV for other programs."""

import csv
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from kit.csv_cells import neutralise
from kit.table import MAX_CELL_CHARACTERS, table


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, as_csv: bool) -> None:
    """Print rows below their headings.

    Args:
        columns: the headings.
        rows: as DuckDB gives them; in a table, long cells are cut.
        as_csv: whether they are printed as CSV, in whose cells no spreadsheet finds a formula.
    """
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([neutralise(value) if isinstance(value, str) else value for value in map(_plain, row)])
        return
    for line in table(columns, [[_short(value) for value in row] for row in rows]):
        print(line)


def _plain(value: Any) -> Any:
    """None, numbers, and lists of texts as they are; others as texts."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return [str(item) for item in value] if isinstance(value, list) else str(value)


def _short(value: Any) -> Any:
    """The part of a value that a cell can show: a text may have a hundred million characters."""
    value = _plain(value)
    return value[: MAX_CELL_CHARACTERS + 1] if isinstance(value, (str, list)) else value
