"""Completions at the cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.translator.generated import broken
from translator.catalogue import Catalogue
from translator.complete import complete, operators_of
from translator.dsl import translate
from translator.errors import UnsupportedOperator

_KEYWORD = {"type": "keyword"}
_CATALOGUE = Catalogue.from_mappings(
    {
        "devices": {
            "properties": {
                "Hostname": _KEYWORD,
                "Ghost": _KEYWORD,
                "Ip": {"type": "ip", "fields": {"keyword": _KEYWORD}},
                "Gateway": {"type": "ip"},
                "Cores": {"type": "integer"},
                "Load": {"type": "float"},
                "Seen": {"type": "date"},
                "On": {"type": "boolean"},
                "Notes": {"type": "text"},
                "Title": {"type": "text", "fields": {"keyword": _KEYWORD}},
                "Labels": {"type": "flattened"},
                "OS": {"properties": {"Type": _KEYWORD}},
                "Odd name": _KEYWORD,
                "Software": {"type": "nested", "properties": {"Name": _KEYWORD}},
                "Dark": {"type": "keyword", "index": False, "doc_values": False},
            }
        }
    }
)


def _offered(text: str) -> list[str]:
    return [suggestion.text for suggestion in complete(text, len(text), _CATALOGUE).suggestions]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("host", ["Hostname", "Ghost"]),
        ("a = 1 AND (host", ["Hostname", "Ghost"]),
        ("odd", ['"Odd name"']),
        ("n", ["Notes", "Hostname", '"Odd name"', "On", "Seen", "Software.Name", "NOT"]),
        ("dark", []),
        ("Software:{", ["Name", "NOT"]),
        ("Software:{ Name = x AND n", ["Name", "NOT"]),
        ("OS:{", []),
        ("Hostname E", ["EXISTS"]),
        ("Hostname not ", ["IN", "BETWEEN", "EXISTS"]),
        ("On ", ["=", "!=", "IN", "NOT IN", "EXISTS", "NOT EXISTS"]),
        ("Software ", [":{", "EXISTS", "NOT EXISTS"]),
        ("Nope ", []),
        ("Hostname = x ", ["AND", "OR"]),
        ("(Hostname = x ", ["AND", "OR"]),
        ("Software:{ Name = x o", ["OR"]),
        ("Hostname in (a, b) a", ["AND"]),
        ("On = ", ["true", "false"]),
        ("On in (f", ["false"]),
        ("Seen = ", []),
        ("Cores = 1", []),
        ('Hostname = "', []),
        ("= 1 AND ", []),
        ("Cores BETWEEN 1 ", []),
    ],
)
def test_candidates_that_fit_are_offered(text: str, offered: list[str]) -> None:
    assert _offered(text) == offered


@pytest.mark.parametrize(
    ("text", "field", "word"),
    [
        ("Hostname = we", "Hostname", "we"),
        ("Hostname ~", "Hostname", ""),
        ("Title IN (a,b", "Title.keyword", "b"),
        ("Labels.env = p", "Labels.env", "p"),
        ("Software:{ name = n", "Software.Name", "n"),
        ("Hostname BETWEEN a AND b", "Hostname", "b"),
    ],
)
def test_values_of_strings_are_looked_up(text: str, field: str, word: str) -> None:
    completion = complete(text, len(text), _CATALOGUE)
    assert completion.values_of is not None
    assert (completion.values_of.path, completion.word) == (field, word)
    assert completion.start == len(text) - len(word)


def test_text_after_the_cursor_does_not_count() -> None:
    completion = complete("Host = x AND ((", 4, _CATALOGUE)
    assert completion.start == 0
    assert completion.suggestions[0].text == "Hostname"
    assert completion.suggestions[0].type == "keyword"


@pytest.mark.parametrize("name", [name for name in _CATALOGUE.fields if " " not in name])
def test_exactly_the_operators_that_a_field_allows_are_offered(name: str) -> None:
    field = _CATALOGUE.fields[name]
    value = {"ip": "::1", "integer": "1", "float": "1", "date": "2024", "boolean": "true"}.get(field.type, "x")
    operands = {"IN": f"({value})", "BETWEEN": f"{value} AND {value}", "EXISTS": ""}
    for operator in ("=", "!=", "<", "<=", ">", ">=", "~", "!~", "IN", "NOT BETWEEN", "EXISTS"):
        query = f"{name} {operator} {operands.get(operator.removeprefix('NOT '), value)}"
        try:
            translate(query, _CATALOGUE)
        except UnsupportedOperator:
            assert operator not in operators_of(field)
        else:
            assert operator in operators_of(field)


@given(st.one_of(broken, st.text()), st.integers(0, 100))
def test_any_text_and_cursor_get_an_answer(text: str, cursor: int) -> None:
    completion = complete(text, min(cursor, len(text)), _CATALOGUE)
    assert 0 <= completion.start <= min(cursor, len(text))
