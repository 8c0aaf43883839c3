"""Name of a person in texts, by DuckDB's conditions and by the proof."""

import duckdb
import pyarrow as pa
import pytest

from lake.erasure.name import ERASED, Name


def _in_sql(name: str, text: str) -> tuple[bool, str]:
    """Whether DuckDB finds a name in a text, and the text without it."""
    written = Name(name)
    statement = f"SELECT {written.sql_found('text')}, {written.sql_erased('text')} FROM (SELECT $text AS text)"
    with duckdb.connect() as connection:
        [found] = connection.execute(statement, {"text": text}).fetchall()
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("jane.doe", "Owner = JANE.DOE"),
        ("jane.doe", "to jane.doe@example.com"),
        ("jane.doe", "Größe and jane.doe"),
        ("İpek", "Owner = İpek b"),
        ("ipek", "Owner = IPEK b"),
        ("ÇELIK", "Owner = çelik b"),
        ("İpek", 'Owner = "\\u0130pek"'),
        ("masse", "Owner = maſſe b"),
        ("kim", "Owner = \u212aim b"),
        ('o"neil', 'Owner = "o\\"neil"'),
    ],
)
def test_what_would_be_erased_of_a_text_is_found_in_it(name: str, text: str) -> None:
    found, erased = _in_sql(name, text)

    assert found
    assert ERASED in erased and Name(name).found(pa.array([erased])) == 0


@pytest.mark.parametrize("text", ["planning", "ann_1", "ann1", "hanna", "", "Größe"])
def test_a_text_that_has_it_inside_a_word_or_not_at_all_stays(text: str) -> None:
    assert _in_sql("ann", text) == (False, text)
