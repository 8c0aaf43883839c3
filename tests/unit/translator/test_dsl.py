"""Queries to Elasticsearch Query DSL, by the field's mapping type: golden cases for every row of the table."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.translator.generated import broken
from translator.catalogue import Catalogue
from translator.dsl import translate
from translator.errors import QueryError, TooComplex, TypeMismatch, UnknownField, UnsupportedOperator

_KEYWORD = {"type": "keyword"}
_CATALOGUE = Catalogue.from_mappings(
    {
        "devices": {
            "properties": {
                "name": _KEYWORD,
                "constant": {"type": "constant_keyword"},
                "wild": {"type": "wildcard"},
                "version": {"type": "version"},
                "labels": {"type": "flattened"},
                "title": {"type": "text", "fields": {"raw": _KEYWORD}},
                "notes": {"type": "text"},
                "log": {"type": "match_only_text"},
                "ip": {"type": "ip", "fields": {"raw": _KEYWORD}},
                "gateway": {"type": "ip"},
                "tiny": {"type": "byte"},
                "short": {"type": "short"},
                "cores": {"type": "integer"},
                "big": {"type": "long"},
                "huge": {"type": "unsigned_long"},
                "half": {"type": "half_float"},
                "load": {"type": "float"},
                "exact": {"type": "double"},
                "price": {"type": "scaled_float", "scaling_factor": 100},
                "seen": {"type": "date"},
                "precise": {"type": "date_nanos"},
                "on": {"type": "boolean"},
                "os": {"properties": {"type": _KEYWORD, "parts": {"type": "nested", "properties": {"id": _KEYWORD}}}},
                "soft": {
                    "type": "nested",
                    "properties": {
                        "name": _KEYWORD,
                        "size": {"type": "long"},
                        "files": {"type": "nested", "properties": {"path": _KEYWORD}},
                    },
                },
                "host": {"type": "alias", "path": "name"},
                "point": {"type": "geo_point"},
                "dark": {"type": "keyword", "index": False, "doc_values": False},
            }
        }
    }
)
_DATE = {"format": "strict_date_optional_time"}


def _dsl(text: str, *, case_insensitive: bool = False) -> dict[str, Any]:
    return translate(text, _CATALOGUE, case_insensitive=case_insensitive).query


def _wildcard(field: str, pattern: str) -> dict[str, Any]:
    return {"wildcard": {field: pattern}}


@pytest.mark.parametrize("field", ["name", "constant", "wild", "version"])
def test_a_keyword_is_compared_as_a_whole_value(field: str) -> None:
    assert _dsl(f"{field} = x") == {"term": {field: "x"}}
    assert _dsl(f"{field} = x*") == {"prefix": {field: "x"}}
    assert _dsl(f"{field} = x*y") == _wildcard(field, "x*y")
    assert _dsl(f"{field} = x?") == _wildcard(field, "x?")
    assert _dsl(f"{field} ~ x") == _wildcard(field, "*x*")
    assert _dsl(f"{field} ~ *x?y") == _wildcard(field, "*x?y*")
    assert _dsl(f"{field} ~ /^x/") == {"regexp": {field: {"value": "x.*", "flags": "NONE"}}}
    assert _dsl(f"{field} < x") == {"range": {field: {"lt": "x"}}}
    assert _dsl(f"{field} BETWEEN x AND y") == {"range": {field: {"gte": "x", "lte": "y"}}}
    assert _dsl(f"{field} IN (x, y)") == {"terms": {field: ["x", "y"]}}
    assert _dsl(f"{field} EXISTS") == {"exists": {"field": field}}


def test_literal_characters_are_escaped_in_a_pattern_alone() -> None:
    assert _dsl('name = "a*?"') == {"term": {"name": "a*?"}}
    assert _dsl(r"name = a\*b\?c\\*d") == _wildcard("name", "a\\*b\\?c\\\\*d")
    assert _dsl(r"name = a\**") == {"prefix": {"name": "a*"}}
    assert _dsl('name ~ "*"') == _wildcard("name", "*\\**")
    assert _dsl('name ~ ""') == _wildcard("name", "*")


def test_a_flattened_leaf_takes_whole_values_and_prefixes() -> None:
    assert _dsl("labels.a.b = x") == {"term": {"labels.a.b": "x"}}
    assert _dsl("labels.a = x*") == {"prefix": {"labels.a": "x"}}
    assert _dsl("labels.a >= x") == {"range": {"labels.a": {"gte": "x"}}}
    assert _dsl("labels = x") == {"term": {"labels": "x"}}


def test_text_with_a_keyword_is_compared_on_that() -> None:
    assert _dsl("title = x") == {"term": {"title.raw": "x"}}
    assert _dsl("title ~ x") == _wildcard("title.raw", "*x*")
    assert _dsl("title > x") == {"range": {"title.raw": {"gt": "x"}}}
    assert _dsl("title EXISTS") == {"exists": {"field": "title"}}


@pytest.mark.parametrize("field", ["notes", "log"])
def test_text_alone_is_compared_by_its_words(field: str) -> None:
    assert _dsl(f'{field} = "a b"') == {"match_phrase": {field: "a b"}}
    assert _dsl(f"{field} = a*") == {"wildcard": {field: {"value": "a*", "case_insensitive": True}}}
    assert _dsl(f"{field} ~ a") == {"wildcard": {field: {"value": "*a*", "case_insensitive": True}}}
    assert _dsl(f"{field} ~ /a/") == {"regexp": {field: {"value": ".*a.*", "flags": "NONE", "case_insensitive": True}}}


def test_an_address_is_compared_as_one() -> None:
    assert _dsl("ip = 10.0.0.1") == {"term": {"ip": "10.0.0.1"}}
    assert _dsl("ip = 10.0.0.0/8") == {"term": {"ip": "10.0.0.0/8"}}
    assert _dsl("ip IN (fe80::/10, ::1)") == {"terms": {"ip": ["fe80::/10", "::1"]}}
    assert _dsl("ip < ::ffff:1.2.3.4") == {"range": {"ip": {"lt": "::ffff:1.2.3.4"}}}
    assert _dsl("ip ~ 10.0") == _wildcard("ip.raw", "*10.0*")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("tiny = -128", -128),
        ("short = 32767", 32_767),
        ("cores = +4", 4),
        ("big = 9223372036854775807", 2**63 - 1),
        ("huge = 18446744073709551615", 2**64 - 1),
        ("half = 65504", 65_504.0),
        ("load = .5", 0.5),
        ("exact = 1e3", 1_000.0),
        ("price = 9.99", 9.99),
        ("on = true", True),
        ('cores = "4"', 4),
    ],
)
def test_numbers_and_booleans_are_sent_as_such(text: str, sent: object) -> None:
    field = text.partition(" ")[0]
    assert orjson.dumps(_dsl(text)) == orjson.dumps({"term": {field: sent}})


def test_a_date_is_a_range_over_its_precision() -> None:
    may = {"gte": "2024-05-01T00:00:00.000Z", "lt": "2024-06-01T00:00:00.000Z", **_DATE}
    assert _dsl("seen = 2024-05") == {"range": {"seen": may}}
    assert _dsl("seen < 2024-05") == {"range": {"seen": {"lt": may["gte"], **_DATE}}}
    assert _dsl("seen <= 2024-05") == {"range": {"seen": {"lt": may["lt"], **_DATE}}}
    assert _dsl("seen > 2024-05") == {"range": {"seen": {"gte": may["lt"], **_DATE}}}
    assert _dsl("seen >= 2024-05") == {"range": {"seen": {"gte": may["gte"], **_DATE}}}
    assert _dsl("seen BETWEEN 2024-05 AND 2024-05") == {"range": {"seen": may}}
    assert _dsl("seen > now-7d/d") == {"range": {"seen": {"gte": "now-7d+1d/d", **_DATE}}}
    assert _dsl("seen = now/d") == {"range": {"seen": {"gte": "now/d", "lt": "now+1d/d", **_DATE}}}


@pytest.mark.parametrize(
    ("text", "error", "marked"),
    [
        ("labels.a = *x", UnsupportedOperator, "*x"),
        ("labels.a ~ x", UnsupportedOperator, "labels.a ~ x"),
        ("labels.a ~ /x/", UnsupportedOperator, "labels.a ~ /x/"),
        ("notes < x", UnsupportedOperator, "x"),
        ("ip = 10.*", UnsupportedOperator, "10.*"),
        ("gateway ~ 10", UnsupportedOperator, "gateway ~ 10"),
        ("gateway !~ /10/", UnsupportedOperator, "gateway !~ /10/"),
        ("cores = 1*", UnsupportedOperator, "1*"),
        ("cores ~ 1", UnsupportedOperator, "cores ~ 1"),
        ("load ~ /1/", UnsupportedOperator, "load ~ /1/"),
        ("seen = 2024-*", UnsupportedOperator, "2024-*"),
        ("seen ~ 2024", UnsupportedOperator, "seen ~ 2024"),
        ("on > false", UnsupportedOperator, "false"),
        ("on = t*", UnsupportedOperator, "t*"),
        ("name < a*", UnsupportedOperator, "a*"),
        ("cores IN (1, 2*)", UnsupportedOperator, "2*"),
        ("os = x", UnsupportedOperator, "os"),
        ("soft ~ x", UnsupportedOperator, "soft"),
        ("os:{type = x}", UnsupportedOperator, "os"),
        ("name:{type = x}", UnsupportedOperator, "name"),
        ("dark = x", UnsupportedOperator, "dark"),
        ("ip = 10.0.0.256", TypeMismatch, "10.0.0.256"),
        ("ip = 010.0.0.1", TypeMismatch, "010.0.0.1"),
        ("ip = 10.0.0.0/33", TypeMismatch, "10.0.0.0/33"),
        ("ip = fe80::/129", TypeMismatch, "fe80::/129"),
        ("ip = 10.0.0.0/", TypeMismatch, "10.0.0.0/"),
        ("ip = 10.0.0.0/255.0.0.0", TypeMismatch, "10.0.0.0/255.0.0.0"),
        ("ip = fe80::1%eth0", TypeMismatch, "fe80::1%eth0"),
        ("ip = ::ffff:10.0.0.0/104", TypeMismatch, "::ffff:10.0.0.0/104"),
        ("ip < 10.0.0.0/8", TypeMismatch, "10.0.0.0/8"),
        ('ip = ""', TypeMismatch, '""'),
        ("cores = 1.5", TypeMismatch, "1.5"),
        ("cores = 2147483648", TypeMismatch, "2147483648"),
        ("cores > 99999999999", TypeMismatch, "99999999999"),
        ("tiny = -129", TypeMismatch, "-129"),
        ("huge = -1", TypeMismatch, "-1"),
        ("cores = ٣", TypeMismatch, "٣"),
        ("big = " + "9" * 5_000, TypeMismatch, "9" * 5_000),
        ("half = 65505", TypeMismatch, "65505"),
        ("load = 1e39", TypeMismatch, "1e39"),
        ("exact = 1e400", TypeMismatch, "1e400"),
        ("exact = nan", TypeMismatch, "nan"),
        ("on = yes", TypeMismatch, "yes"),
        ("seen = yesterday", TypeMismatch, "yesterday"),
        ("precise = 1969", TypeMismatch, "1969"),
        ("nam = x", UnknownField, "nam"),
        ("soft:{ nme = x }", UnknownField, "nme"),
        ("name = x AND soft:{ files:{ name = x } }", UnknownField, "name"),
        ("name = *" + "x" * 300, TooComplex, "*" + "x" * 300),
        ("name ~ " + "x" * 300, TooComplex, "x" * 300),
    ],
)
def test_an_operator_that_a_field_cannot_answer_is_refused_at_its_place(
    text: str, error: type[QueryError], marked: str
) -> None:
    with pytest.raises(error) as raised:
        _dsl(text)
    assert text[raised.value.position : raised.value.end] == marked
    assert raised.value.text == text


@pytest.mark.parametrize(
    ("text", "dsl"),
    [
        ("", {"match_all": {}}),
        ("name = a AND on = true", {"bool": {"filter": [{"term": {"name": "a"}}, {"term": {"on": True}}]}}),
        ("name = a OR name = b", {"terms": {"name": ["a", "b"]}}),
        ("name = a OR name = a", {"term": {"name": "a"}}),
        (
            "name = a OR on = true OR name IN (b, c*)",
            {
                "bool": {
                    "should": [{"terms": {"name": ["a", "b"]}}, {"prefix": {"name": "c"}}, {"term": {"on": True}}],
                    "minimum_should_match": 1,
                }
            },
        ),
        (
            "name > z OR name = a OR name = b",
            {
                "bool": {
                    "should": [{"range": {"name": {"gt": "z"}}}, {"terms": {"name": ["a", "b"]}}],
                    "minimum_should_match": 1,
                }
            },
        ),
        (
            "name = a AND name = b",
            {"bool": {"filter": [{"term": {"name": "a"}}, {"term": {"name": "b"}}]}},
        ),
        (
            "cores >= 1 AND cores < 4",
            {"bool": {"filter": [{"range": {"cores": {"gte": 1}}}, {"range": {"cores": {"lt": 4}}}]}},
        ),
        ("name != a", {"bool": {"must_not": [{"term": {"name": "a"}}]}}),
        ("NOT (name = a OR cores = 1)", {"bool": {"must_not": [{"term": {"name": "a"}}, {"term": {"cores": 1}}]}}),
        ("NOT (name != a)", {"term": {"name": "a"}}),
        (
            "NOT (name != a AND cores != 1)",
            {"bool": {"should": [{"term": {"name": "a"}}, {"term": {"cores": 1}}], "minimum_should_match": 1}},
        ),
        (
            "name = a AND NOT cores = 1",
            {"bool": {"filter": [{"term": {"name": "a"}}], "must_not": [{"term": {"cores": 1}}]}},
        ),
        ("name IN (a)", {"term": {"name": "a"}}),
        ("name IN (*, a)", {"exists": {"field": "name"}}),
        ("host = a", {"term": {"name": "a"}}),
        ("soft.name = a", {"nested": {"path": "soft", "query": {"term": {"soft.name": "a"}}, "ignore_unmapped": True}}),
        (
            "soft.name != a",
            {
                "bool": {
                    "must_not": [
                        {"nested": {"path": "soft", "query": {"term": {"soft.name": "a"}}, "ignore_unmapped": True}}
                    ]
                }
            },
        ),
        (
            "soft.files.path = a",
            {"nested": {"path": "soft.files", "query": {"term": {"soft.files.path": "a"}}, "ignore_unmapped": True}},
        ),
        (
            "soft:{ name = a AND files.path = b }",
            {
                "nested": {
                    "path": "soft",
                    "ignore_unmapped": True,
                    "query": {
                        "bool": {
                            "filter": [
                                {"term": {"soft.name": "a"}},
                                {
                                    "nested": {
                                        "path": "soft.files",
                                        "query": {"term": {"soft.files.path": "b"}},
                                        "ignore_unmapped": True,
                                    }
                                },
                            ]
                        }
                    },
                }
            },
        ),
        (
            "os EXISTS",
            {
                "bool": {
                    "should": [
                        {"exists": {"field": "os"}},
                        {
                            "nested": {
                                "path": "os.parts",
                                "query": {"exists": {"field": "os.parts"}},
                                "ignore_unmapped": True,
                            }
                        },
                    ],
                    "minimum_should_match": 1,
                }
            },
        ),
    ],
)
def test_the_simplest_query_that_means_the_same(text: str, dsl: dict[str, Any]) -> None:
    assert _dsl(text) == dsl


@pytest.mark.parametrize(
    ("text", "dsl"),
    [
        ("name = a", {"term": {"name": {"value": "a", "case_insensitive": True}}}),
        ("name = a*", {"prefix": {"name": {"value": "a", "case_insensitive": True}}}),
        ("name ~ a", {"wildcard": {"name": {"value": "*a*", "case_insensitive": True}}}),
        ("name ~ /a/", {"regexp": {"name": {"value": ".*a.*", "flags": "NONE", "case_insensitive": True}}}),
        (
            "name IN (a, b)",
            {
                "bool": {
                    "should": [
                        {"term": {"name": {"value": "a", "case_insensitive": True}}},
                        {"term": {"name": {"value": "b", "case_insensitive": True}}},
                    ],
                    "minimum_should_match": 1,
                }
            },
        ),
        ("name > a", {"range": {"name": {"gt": "a"}}}),
        ("ip IN (::1, ::2)", {"terms": {"ip": ["::1", "::2"]}}),
        ("cores = 1", {"term": {"cores": 1}}),
        ("notes = a", {"match_phrase": {"notes": "a"}}),
    ],
)
def test_letter_case_is_ignored_where_elasticsearch_can(text: str, dsl: dict[str, Any]) -> None:
    assert _dsl(text, case_insensitive=True) == dsl


def test_the_fields_of_a_query_are_named_once_in_their_order() -> None:
    assert translate("on = true AND HOST = a AND name = b", _CATALOGUE).fields == ("on", "name")


def _deep(levels: int) -> str:
    text = "name = a"
    for level in range(levels):
        text = f"(cores = {level} {'AND' if level % 2 else 'OR'} {text})"
    return text


def test_a_query_too_deep_for_elasticsearch_is_refused() -> None:
    assert _dsl(_deep(25))
    with pytest.raises(TooComplex, match="more than 25 levels deep"):
        _dsl(_deep(26))
    assert _dsl("(" * 50 + "name = a" + ")" * 50) == {"term": {"name": "a"}}


def test_each_member_that_becomes_a_query_of_its_own_counts_as_a_clause() -> None:
    members = ", ".join(f"a{number}*" for number in range(1_024))
    assert _dsl(f"name IN ({members})")
    with pytest.raises(TooComplex, match="1,024 clauses"):
        _dsl(f"name IN ({members}, b*)")


@pytest.mark.parametrize("query", ["name = {}", "name IN (a, {})", "name > {}", "labels.env = {}", "title = {}"])
@pytest.mark.parametrize("any_case", [False, True])
def test_a_value_longer_than_any_term_is_refused_at_its_place(query: str, any_case: bool) -> None:
    longest = "ş" * (32_766 // 2)
    assert translate(query.format(longest), _CATALOGUE, case_insensitive=any_case)
    text = query.format(f"{longest}x")
    with pytest.raises(TooComplex, match="32,766 bytes") as raised:
        translate(text, _CATALOGUE, case_insensitive=any_case)
    assert text[raised.value.position : raised.value.end] == f"{longest}x"


_ALLOWED = {
    *["bool", "nested", "term", "terms", "prefix", "wildcard", "regexp", "range", "exists", "match_phrase", "match_all"]
}


def _queries(query: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    ((kind, body),) = query.items()
    yield kind, body
    if kind == "nested":
        yield from _queries(body["query"])
    elif kind == "bool":
        assert body
        assert sum(len(body.get(clause, [])) for clause in ("filter", "should", "must_not")) > ("must_not" not in body)
        for clause in ("filter", "should", "must_not"):
            for inner in body.get(clause, []):
                yield from _queries(inner)


_FIELDS = st.sampled_from(["name", "Title", "notes", "ip", "cores", "seen", "on", "labels.x", "soft.name", "os", "nam"])
_VALUES = st.sampled_from(["x", "x*", "*", "?y", '""', "1", "10.0.0.0/8", "::1", "2024-05", "now/d", "true", '"a b"'])
_SIGNS = st.sampled_from(["=", "!=", "<", ">=", "~", "!~"])
_NEGATION = st.sampled_from(["", "NOT "])
_COMPARISONS = st.one_of(
    st.tuples(_FIELDS, _SIGNS, _VALUES).map(" ".join),
    st.builds(
        lambda field, negation, one, other: f"{field} {negation}IN ({one}, {other})",
        _FIELDS,
        _NEGATION,
        _VALUES,
        _VALUES,
    ),
    st.builds(lambda field, low, high: f"{field} BETWEEN {low} AND {high}", _FIELDS, _VALUES, _VALUES),
    _FIELDS.map(lambda field: f"{field} EXISTS"),
)
_QUERIES = st.recursive(
    _COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda left, right: f"({left} AND {right})", inner, inner),
        st.builds(lambda left, right: f"({left} OR {right})", inner, inner),
        inner.map(lambda text: f"NOT ({text})"),
    ),
    max_leaves=8,
)


@given(st.one_of(_QUERIES, broken), st.booleans())
def test_any_query_becomes_allowed_queries_on_known_fields_or_a_precise_error(
    text: str, case_insensitive: bool
) -> None:
    try:
        translation = translate(text, _CATALOGUE, case_insensitive=case_insensitive)
    except QueryError as error:
        assert 0 <= error.position <= error.end <= len(text)
        return
    again = translate(text, _CATALOGUE, case_insensitive=case_insensitive)
    assert orjson.dumps(translation.query) == orjson.dumps(again.query)
    for kind, body in _queries(translation.query):
        assert kind in _ALLOWED
        if kind not in ("bool", "nested", "match_all"):
            field = body["field"] if kind == "exists" else next(iter(body))
            assert field in _CATALOGUE.fields or field.startswith("labels.")


@given(_QUERIES)
def test_spaces_brackets_and_double_negation_change_nothing(text: str) -> None:
    def dsl(text: str) -> dict[str, Any] | str:
        try:
            return _dsl(text)
        except QueryError as error:
            return error.code

    assert dsl(f"NOT (NOT ({text}))") == dsl(text)
    assert dsl(f"\n(( {text}\u00a0))") == dsl(text)


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("5 < cores", "the field comes first: cores > 5"),
        ("name = a AND 5 >= cores", "the field comes first: cores <= 5"),
        ("'web 1' = name", "the field comes first: name = web 1"),
        ("soft:{ 5 < size }", "the field comes first: size > 5"),
        ("os->type", "a dot stands between the parts of a name, not ->"),
        ("cores = 1..5", "a range is cores BETWEEN 1 AND 5"),
        ("load = 1.5...2", "a range is load BETWEEN 1.5 AND 2"),
        ("seen = 2024-05-01..2024-05-03", "a range is seen BETWEEN 2024-05-01 AND 2024-05-03"),
        ("gateway = 10.0.0.1..10.0.0.9", "a range is gateway BETWEEN 10.0.0.1 AND 10.0.0.9"),
        ("seen > 1714732200123", "write a count since 1970 as 2024-05-03T10:30:00.123Z"),
        ("seen > 1714732200", "write a count since 1970 as 2024-05-03T10:30:00Z"),
        ("seen = Today", "write now/d for that day"),
        ("seen >= yesterday", "write now-1d/d for that day"),
        ("seen > -7d", "write now-7d for a time from now"),
        ("seen < +2w", "write now+2w for a time from now"),
        ("seen > 7d", "write now-7d for a time from now"),
    ],
)
def test_a_query_that_another_tool_takes_is_told_what_to_write(query: str, hint: str) -> None:
    with pytest.raises(QueryError) as raised:
        translate(query, _CATALOGUE)
    assert hint in raised.value.message


@pytest.mark.parametrize("query", ["5 < nothing", "nothing = *", "nothing IN (cores)", "nothing exists"])
def test_a_field_is_not_said_to_come_first_where_the_query_has_no_field(query: str) -> None:
    with pytest.raises(UnknownField) as raised:
        translate(query, _CATALOGUE)
    assert "first" not in raised.value.message


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("null", "{} NOT EXISTS asks for missing values"),
        ("5;", "a query needs no semicolon"),
        ("\u22125", "write - for"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "name"), [("ip", "ip"), ("float", "f"), ("long", "n"), ("date", "d"), ("boolean", "b")]
)
def test_a_value_of_no_type_is_told_what_was_perhaps_meant(kind: str, name: str, value: str, hint: str) -> None:
    catalogue = Catalogue.from_mappings({"index": {"properties": {name: {"type": kind}}}})
    with pytest.raises(TypeMismatch) as caught:
        translate(f"{name} != {value}", catalogue)
    assert hint.format(name) in caught.value.message
