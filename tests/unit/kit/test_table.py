"""Tables on a terminal."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from kit.table import MAX_CELL_CHARACTERS, table
from kit.terminal import printable


def test_columns_are_aligned_by_their_width_on_the_screen() -> None:
    rows: list[list[Any]] = [["octoxlabs01", ["10.0.0.1", "fd00::1"], True], ["用户", None, {"a": 1}]]
    assert list(table(["Hostname", "Ip", "X"], rows)) == [
        "Hostname     Ip                 X",
        "octoxlabs01  10.0.0.1, fd00::1  true",
        '用户                            {"a":1}',
    ]


def test_a_long_value_is_cut_and_marked() -> None:
    _, line = table(["Description"], [["x" * 500]])
    assert line == "x" * (MAX_CELL_CHARACTERS - 1) + "…"


def test_no_documents_are_a_heading_alone() -> None:
    assert list(table(["Hostname"], [])) == ["Hostname"]
    assert list(table([], [[], []])) == ["", "", ""]


def test_characters_that_a_terminal_would_obey_are_escaped() -> None:
    assert printable("\x1b[31mred\n\u202ex") == "\\x1b[31mred\\n\\u202ex"


_VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.lists(st.text())


@given(st.lists(st.lists(_VALUES, min_size=2, max_size=2)))
def test_any_documents_make_lines_that_are_safe_and_aligned(rows: list[list[Any]]) -> None:
    lines = list(table(["A", "B"], rows))
    assert len(lines) == len(rows) + 1
    for line in lines:
        assert line.isprintable()
        assert wcswidth(line) >= 0
