"""Notices: each kind where it is meant, ordinary queries without any, and suggestions that are queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translator.catalogue import Catalogue
from translator.dsl import translate
from translator.grammar import parse
from translator.limits import MAX_NOTICES
from translator.notices import Notice, notice_line

_CATALOGUE = Catalogue.from_mappings(
    {
        "index": {
            "properties": {
                "name": {"type": "keyword", "ignore_above": 10},
                "version": {"type": "version"},
                "words": {"type": "text"},
                "title": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 20}}},
                "labels": {"type": "flattened", "ignore_above": 12},
                "size": {"type": "long"},
                "ip": {"type": "ip"},
                "software": {"type": "nested", "properties": {"name": {"type": "keyword"}}},
            }
        }
    }
)


def _notices(text: str) -> tuple[Notice, ...]:
    return translate(text, _CATALOGUE).notices


def _marked(text: str, notice: Notice) -> str:
    return text[notice.position : notice.end]


@pytest.mark.parametrize(
    ("text", "code", "marked", "suggestion"),
    [
        ("name < 8.9", "lexical_order", "8.9", None),
        ("name >= 10", "lexical_order", "10", None),
        ("labels.a > v1.2.3", "lexical_order", "v1.2.3", None),
        ("title BETWEEN 1 AND x", "lexical_order", "1", None),
        ("name < 5.15.0-91-generic", "lexical_order", "5.15.0-91-generic", None),
        ("name < 2.4.57-2+deb12u1", "lexical_order", "2.4.57-2+deb12u1", None),
        ("name < 1:2.3", "lexical_order", "1:2.3", None),
        ("name < 1e6", "lexical_order", "1e6", None),
        ("name < .5", "lexical_order", ".5", None),
        ("name = null", "null_text", "name = null", "name NOT EXISTS"),
        ("name = null OR name = x", "null_text", "name = null", "name NOT EXISTS"),
        ("name = x OR name = /b.+/", "regex_as_text", "name = /b.+/", "name ~ /b.+/"),
        ("labels.a = abcdefghijklm", "too_long_to_be_indexed", "abcdefghijklm", None),
        ("name = 'a\u00a0b'", "odd_character", "'a\u00a0b'", "'a b'"),
        ("name = a\u3164b", "odd_character", "a\u3164b", None),
        ("name ~ /we\u200bb/", "odd_character", "/we\u200bb/", "/web/"),
        ('name < "50%"', "percent_wildcard", '"50%"', None),
        ('labels.a = "*x*"', "quoted_wildcard", '"*x*"', None),
        ('words = "failed pass*"', "quoted_wildcard", '"failed pass*"', None),
        ("name != NULL", "null_text", "name != NULL", "name EXISTS"),
        ("NOT name = null", "null_text", "name = null", "name NOT EXISTS"),
        ("name IN (a, null)", "null_text", "null", None),
        ("software:{name = null}", "null_text", "name = null", "name NOT EXISTS"),
        (r"name = C:\W\*", "escaped_wildcard", r"\*", r"\\*"),
        (r"name = web\?", "escaped_wildcard", r"\?", r"\\?"),
        (r"name = C:\W\*x", "escaped_wildcard", r"\*", r"\\*"),
        (r"name = \\srv\x", "escaped_backslash", r"\\srv\x", r"\\\\srv\x"),
        ('name = "web*"', "quoted_wildcard", '"web*"', "web*"),
        ("name ~ 'w?b'", "quoted_wildcard", "'w?b'", "w?b"),
        ("name = web;", "trailing_semicolon", ";", ""),
        ("(size = 1 AND name = web;) ", "trailing_semicolon", ";", ""),
        ("name = web%", "percent_wildcard", "web%", "web*"),
        ("name = '%web%'", "percent_wildcard", "'%web%'", "*web*"),
        ("name = /web.+/", "regex_as_text", "name = /web.+/", "name ~ /web.+/"),
        ("name != /web.+/i", "regex_as_text", "name != /web.+/i", "name !~ /web.+/"),
        ("name ~ a|b", "regex_as_text", "a|b", "/a|b/"),
        ("name ~ ^web", "regex_as_text", "^web", "/^web/"),
        ("words ~ web.*", "regex_as_text", "web.*", "/web.*/"),
        ("name = 10.0.0.0/8", "block_as_text", "10.0.0.0/8", None),
        ("title ~ fe80::/10", "block_as_text", "fe80::/10", None),
        ("name = abcdefghijk", "too_long_to_be_indexed", "abcdefghijk", None),
        ("title = abcdefghijklmnopqrstuvwxyz", "too_long_to_be_indexed", "abcdefghijklmnopqrstuvwxyz", None),
        ("name = 🙂🙂🙂🙂🙂🙂", "too_long_to_be_indexed", "🙂🙂🙂🙂🙂🙂", None),
        ("name = we\u200bb", "odd_character", "we\u200bb", "web"),
        ("name = web\u201301", "odd_character", "web\u201301", "web-01"),
        ("name = it\u2019s", "odd_character", "it\u2019s", '"it\'s"'),
    ],
)
def test_a_part_that_is_probably_not_meant_is_noticed_where_it_stands(
    text: str, code: str, marked: str, suggestion: str | None
) -> None:
    [notice] = [notice for notice in _notices(text) if notice.code == code]
    assert (_marked(text, notice), notice.suggestion) == (marked, suggestion)
    assert notice.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name = web* AND size > 85",
        "version < 8.9",
        "name < m AND name >= 2024-05-03",
        "size = 100 AND ip = 10.0.0.0/8",
        "name = nullable OR name = 'null'",
        r"name = C:\Temp\x*",
        r"name = a\*b",
        r"name = \\\\srv\x",
        "name < 2024-05",
        "words ~ 'a; b' OR name = 'x;'",
        "name = /etc/hosts",
        "name ~ C$",
        r"name ~ C:\data",
        "title = 'Ankara Merkez'",
        "name ~ /a|b/",
        "name = şehir",
        "words ~ abcdefghijklmnopqrstuvwxyz",
        "title ~ abcdefghijklmnopqrstuvwxyz",
        'words ~ "failed password"',
    ],
)
def test_ordinary_queries_have_no_notice(text: str) -> None:
    assert _notices(text) == ()


def test_there_are_at_most_ten_in_the_order_of_the_text() -> None:
    text = " AND ".join(["name = null", "name = web%", 'name = "w*"'] * 10)
    found = _notices(text)
    assert len(found) == MAX_NOTICES
    assert [notice.position for notice in found] == sorted(notice.position for notice in found)


@given(
    st.text(alphabet=r"""ab1.*?%;/|^\"'null""" + "\u200b\u2019\u2013", min_size=1, max_size=12),
    st.sampled_from(["=", "!=", "~", "<"]),
    st.sampled_from(["{}", '"{}"', "'{}'"]),
)
def test_a_suggestion_makes_a_query_in_its_place(value: str, operator: str, quotes: str) -> None:
    text = f"labels.x = 1 AND title {operator} {quotes.format(value)}"
    try:
        found = _notices(text)
    except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # not every text is a query
        return
    for notice in found:
        assert 0 <= notice.position <= notice.end <= len(text)
        if notice.suggestion is not None:
            parse(text[: notice.position] + notice.suggestion + text[notice.end :])


def test_a_notice_is_a_line_for_people() -> None:
    [notice] = _notices("name = web%")
    assert notice_line(notice) == ("notice: % is literal; * is the wildcard (at character 8); perhaps you mean: web*")
