"""Display of a rejected query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from translator.errors import QueryError, UnknownField


def _error(text: str, marked: str) -> QueryError:
    position = text.index(marked)
    error = UnknownField("unknown", position, position + len(marked))
    error.text = text
    return error


@pytest.mark.parametrize(
    ("text", "marked", "caret"),
    [
        ("Hostnme = a", "Hostnme", "Hostnme = a\n^^^^^^^"),
        ("漢字 = x AND 表 = 1", "表", "漢字 = x AND 表 = 1\n             ^^"),
        ("e\u0301 = 1 AND x = 2", "x", "e\u0301 = 1 AND x = 2\n          ^"),
        ("👩‍💻 = 1 AND x = 2", "x", "👩‍💻 = 1 AND x = 2\n           ^"),
        ("שם = 1 AND x = 2", "x", "שם = 1 AND x = 2\n           ^"),
        ("a\t= 1 AND\tx = 2", "x", "a = 1 AND x = 2\n          ^"),
        ("a = 1\nAND x = 2\nOR y = 3", "x", "AND x = 2\n    ^"),
        ("a = 'b\nc'", "'b\nc'", "a = 'b\n    ^^"),
    ],
)
def test_the_carets_stand_below_what_is_wrong(text: str, marked: str, caret: str) -> None:
    assert _error(text, marked).caret == caret


def test_something_missing_is_one_caret_behind_the_text() -> None:
    error = UnknownField("missing", 4, 4)
    error.text = "a = "
    assert error.caret == "a = \n    ^"


def test_line_and_column_count_from_one() -> None:
    error = _error("a = 1\n\nAND 👩‍💻x = 2", "x")
    assert (error.line, error.column) == (3, 8)


def test_the_whole_picture_has_the_message_below() -> None:
    assert str(_error("a = 1", "a")) == "a = 1\n^\nunknown"


@given(st.text(), st.text(min_size=1), st.text())
def test_the_picture_is_always_two_lines_of_a_readable_length(before: str, marked: str, after: str) -> None:
    error = UnknownField("unknown", len(before), len(before + marked))
    error.text = before + marked + after
    line, carets = error.caret.split("\n")
    assert carets.strip() == "^" * carets.count("^") != ""
    assert len(line) <= 122
    assert wcswidth(line) >= 0


def test_a_long_line_is_cut_around_what_is_wrong() -> None:
    error = _error("a = 1 OR " * 100 + "bad = 2" + " OR a = 1" * 100, "bad")
    line, carets = error.caret.split("\n")
    assert line.startswith("…") and line.endswith("…")
    assert line[carets.index("^") : carets.rindex("^") + 1] == "bad"
