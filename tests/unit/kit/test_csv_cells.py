"""Texts as cells of CSV."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.csv_cells import neutralise, restore

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.mark.parametrize("text", ["", "a", "a=b", "'a", "' =", "05", "é"])
def test_a_text_that_is_no_formula_stays(text: str) -> None:
    assert neutralise(text) == restore(text) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_formula_is_made_a_text(text: str) -> None:
    assert neutralise(text) == f"'{text}"


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\nab")))
def test_no_cell_begins_a_formula_and_each_is_read_back(text: str) -> None:
    cell = neutralise(text)
    assert not cell.startswith(_FORMULA)
    assert restore(cell) == text
