"""Shapes of queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.enrichment.shapes import NO_SHAPE, shape


@pytest.mark.parametrize(
    ("query", "text", "fields"),
    [
        ("Hostname = octoxlabs01", "Hostname = ?", ("Hostname",)),
        ('Hostname = "a b" and ((Site=x))', "Hostname = ? AND Site = ?", ("Hostname", "Site")),
        ("Ip IN (10.0.0.1, 10.0.0.2) OR Ip EXISTS", "Ip IN (?) OR Ip EXISTS", ("Ip",)),
        ("RiskScore NOT BETWEEN 1 AND 2", "RiskScore NOT BETWEEN ? AND ?", ("RiskScore",)),
        ("Hostname ~ /sec[r]et/ AND NOT Owner != x", "Hostname ~ /?/ AND Owner = ?", ("Hostname", "Owner")),
        ("Software:{Name = nginx AND Version = 1}", "Software:{Name = ? AND Version = ?}",
         ("Software.Name", "Software.Version")),
        ("", "", ()),
    ],
)  # fmt: skip
def test_a_shape_is_the_query_without_its_literals(query: str, text: str, fields: tuple[str, ...]) -> None:
    assert shape(query) == (text, fields)


def test_a_text_that_is_no_query_has_no_shape() -> None:
    assert shape("Hostname = (") == NO_SHAPE


def test_a_long_query_has_a_shape_too() -> None:
    assert shape(" OR ".join(f"a{number} = {number}" for number in range(500))).fields is not None


@given(st.text(max_size=30), st.text(max_size=30))
def test_queries_that_differ_in_a_literal_alone_have_one_shape(one: str, other: str) -> None:
    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'Hostname = "{escaped}"'

    assert shape(quoted(one)) == shape(quoted(other)) == ("Hostname = ?", ("Hostname",))
