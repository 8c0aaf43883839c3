"""Hints to those who write other languages: where the habit is, and what to write instead."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.translator.generated import broken
from translator.errors import QueryError, QuerySyntaxError
from translator.grammar import parse


def _rejection(text: str) -> QuerySyntaxError:
    with pytest.raises(QuerySyntaxError) as raised:
        parse(text)
    return raised.value


@pytest.mark.parametrize(
    ("text", "marked", "hint"),
    [
        # Signs.
        ("a == x", "==", "write one ="),
        ("a === x", "===", "write one ="),
        ("a <> x", "<>", "write !=: a != x"),
        ("a !== x", "!==", "write !=: a != x"),
        ("a ≠ 1", "≠", "write !=: a != 1"),
        ("a => 5", "=>", "write >=: a >= 5"),
        ("a =< 5", "=<", "write <=: a <= 5"),
        ("a≥5", "≥", "write >=: a >= 5"),
        ("a ≤ 5", "≤", "write <=: a <= 5"),
        ("a < = 5", "< =", "write <= without a blank"),
        ("a ! = 5", "! =", "write !="),
        ("a =! 5", "=!", "write !="),
        ("a =~ x", "=~", "write ~"),
        ("a =~x", "=~", "write ~"),
        ("a =~ /x/", "=~", "write ~ for a regular expression: a ~ /x/"),
        ("a ~= x", "~=", "write ~"),
        ("a ~~ x", "~~", "write ~"),
        ("a ~* x", "~*", "write ~"),
        ("a !~* x", "!~*", "write !~"),
        ("a *= x", "*=", "write ~"),
        ("a ^= x", "^=", "a = x*"),
        ("a $= 'x y'", "$=", r"a = *x\ y"),
        ("a := x", ":=", "write ="),
        ("a＝x", "＝", "write ="),
        ("a ∈ (x)", "∈", "write IN"),
        ("a > 1 < 5", "<", "write BETWEEN"),
        # Words for more than one value, and for no value.
        ("a ~ (x|y)", "(x|y)", "write a ~ /x|y/"),
        ("a ~ (x OR y)", "(x OR y)", "write a ~ /x|y/"),
        ("a >= [1, 2]", "[1, 2]", "write a comparison for each value, with OR"),
        ("a is not one of x, y", "is not one of", "write NOT IN (…)"),
        ("a != x OR y", "", "write NOT IN (…, y)"),
        ("a:(x* AND -y*)", ":(x* AND -y*)", "a = x* AND NOT a = y*"),
        ("a IN (SELECT x FROM y)", "SELECT", "no queries within queries"),
        ("a NOT EXIST", "NOT EXIST", "write a NOT EXISTS"),
        ("a does not exist", "does not exist", "write a NOT EXISTS"),
        ("-_exists_:a", "-_exists_", "a NOT EXISTS"),
        ("a:web~2", ":", "write a ~ web"),
        # Quotes with wildcards beside them.
        ('a = *"x y"*', '"x y"', r"*x\ y*"),
        ('a = "x"*"y"', '*"y"', "x*y"),
        # Moments and decimals in a range.
        ("a BETWEEN now - 7d AND now", "- 7d", "write date math without blanks: now-7d"),
        ("a > now- 7d", "7d", "now-7d"),
        ("a IN last 7d", "last 7d", "write a > now-7d"),
        ("a BETWEEN 7,5 AND 8,5", "7,5", "7.5"),
        ("a BETWEEN 7, 8", ",", "write AND between the two values"),
        # KQL and Lucene.
        ("a:x*", ":", "write = to compare: a = x*"),
        ("a: x", ":", "write = to compare: a = x"),
        ('a : "x y"', ":", 'write = to compare: a = "x y"'),
        ("a:*", ":", "write a EXISTS"),
        ("a:>=5", ":", "write >= without the colon"),
        ("a:!=5", ":", "write != without the colon"),
        ("a:/x.*/", ":", "a ~ /x.*/"),
        ("a:(x OR y)", ":(x OR y)", "write a IN (x, y)"),
        ("a:(x AND y)", ":(x AND y)", "a = x AND a = y"),
        ("a:[1 TO 5]", ":[1 TO 5]", "write a BETWEEN 1 AND 5"),
        ("a:{1 TO 5}", ":{1 TO 5}", "write a > 1 AND a < 5"),
        ("a:[1 TO *]", ":[1 TO *]", "write a >= 1"),
        ("a:[* TO 5}", ":[* TO 5}", "write a < 5"),
        ("a:[* TO *]", ":[* TO *]", "write a EXISTS"),
        ("_exists_:a", "_exists_", "a EXISTS"),
        ("_missing_:a", "_missing_", "a NOT EXISTS"),
        ("NOT _exists_:a", "_exists_", "a NOT EXISTS"),
        ("-a:x", "-", "write NOT"),
        ("+a:x", "+", "without the sign"),
        ("*", "*", "an empty query asks for everything"),
        ("*:*", "*:*", "an empty query asks for everything"),
        ("*web*", "*", "a query names its fields"),
        ("s:(a = 1)", ":(", "write s:{ … }"),
        ("s{ a = 1 }", "{", "write s:{ … }"),
        ("s:[ a = 1 ]", ":[", "write s:{ … }"),
        ("s = { a = 1 }", "{", "write s:{ … }"),
        ("s:{ a: 1 }", ":", "write = to compare: a = 1"),
        # Lists.
        ("a = (x OR y)", "(x OR y)", "write a IN (x, y)"),
        ("a != (x OR y)", "(x OR y)", "write a NOT IN (x, y)"),
        ("a = (x, y)", "(x, y)", "write a IN (x, y)"),
        ("a = [x, y]", "[x, y]", "write a IN (x, y)"),
        ("a = {x}", "{x}", "write a IN (x)"),
        ("a = [1 TO 5]", "[1 TO 5]", "write a BETWEEN 1 AND 5"),
        ("a = x, y", ",", "write a IN (x, y)"),
        ("a != x, y", ",", "write a NOT IN (x, y)"),
        ("a IN [x, y]", "[x, y]", "write a IN (x, y)"),
        ("a IN {x}", "{x}", "write a IN (x)"),
        ("a not in [x]", "[x]", "write a NOT IN (x)"),
        ("a IN x, y", "x, y", "IN (x, y)"),
        ("a !in (x)", "!in", "write NOT IN"),
        ("a in~ (x)", "~", "case_insensitive"),
        ("a IN (x OR y)", "OR", "a comma"),
        ("a IN (x y)", "y", 'a comma between two values, or quote a value with blanks: "x y"'),
        ('a IN ("x" "y")', '"y"', "a comma"),
        ("a IN (x; y)", ";", "a comma"),
        ('"x" in a', "a", 'write a ~ "x"'),
        ("a = x OR y", "", "the field before each value: … = y; or IN (…, y)"),
        ("a = x AND y", "", "the field before each value: … = y"),
        ("a BETWEEN 1, 5", ",", "write AND between the two values"),
        ("a BETWEEN 1 TO 5", "TO", "write AND between the two values"),
        ("a BETWEEN (1, 5)", "(", "without brackets"),
        # SQL.
        ("EXISTS a", "EXISTS", "write EXISTS after the field: a EXISTS"),
        ("EXISTS(a)", "EXISTS", "write EXISTS after the field: a EXISTS"),
        ("NOT EXISTS a", "EXISTS", "write EXISTS after the field: a NOT EXISTS"),
        ("a IS x", "IS", "write =: a = x"),
        ("a IS NOT x", "IS NOT", "write !=: a != x"),
        ("a IS NULL", "IS NULL", "write a NOT EXISTS"),
        ("a is not null", "is not null", "write a EXISTS"),
        ("a NOT NULL", "NOT NULL", "write a EXISTS"),
        ("isnull(a)", "isnull", "a NOT EXISTS"),
        ("a LIKE 'x%'", "LIKE", "a = x*"),
        ("a LIKE '%x'", "LIKE", "a = *x"),
        ("a LIKE '%x%'", "LIKE", "a ~ x"),
        ("a ILIKE 'x_y%'", "ILIKE", "write = with * and ?"),
        ("a NOT LIKE '%x y%'", "NOT LIKE", 'a !~ "x y"'),
        ("a REGEXP 'x'", "REGEXP", "~ /pattern/"),
        ("a NOT = x", "NOT =", "write !=: a != x"),
        ("a = NOT x", "NOT", "write !="),
        ("a NOT (x, y)", "NOT", "write NOT IN"),
        ("SELECT * FROM x WHERE a = 1", "SELECT", "the condition that would follow WHERE"),
        ("WHERE a = 1", "WHERE", "the condition that would follow WHERE"),
        ("a = 1 ORDER BY b", "ORDER BY", "members of the request"),
        ("a = 1 LIMIT 10", "LIMIT", "members of the request"),
        ("sort by a", "sort by", "members of the request"),
        ("count(*) > 5", "count", "nothing is calculated"),
        ("lower(a) = x", "lower", "case_insensitive"),
        ("a = 1 -- why", "--", "no comments"),
        ("-- why", "--", "no comments"),
        ("a = 1 # why", "#", "no comments"),
        ("a = 1 // why", "//", "no comments"),
        ("a = 1 /* why */", "/*", "no comments"),
        ("a = 'it''s'", "'", r"write \'"),
        # Words of other products.
        ("a CONTAINS x", "CONTAINS", "write ~: a ~ x"),
        ("a NOT CONTAINS x", "NOT CONTAINS", "write !~: a !~ x"),
        ("a does not contain x", "does not contain", "write !~: a !~ x"),
        ("a !contains x", "!contains", "write !~: a !~ x"),
        ("a STARTSWITH x", "STARTSWITH", "a = x*"),
        ('a starts with "x y"', "starts with", r"a = x\ y*"),
        ("a ENDSWITH x", "ENDSWITH", "a = *x"),
        ("a not startswith x", "not startswith", "a != x*"),
        ("a MATCHES x", "MATCHES", "~ /pattern/"),
        ("a eq 'x'", "eq", "a = 'x'"),
        ("a -ne x", "-ne", "a != x"),
        ("a gt 5", "gt", "write >"),
        ("a greater than or equal to 5", "greater than or equal to", "write >="),
        ("a at most 5", "at most", "write <="),
        ("a does not equal x", "does not equal", "a != x"),
        ('a.contains("x")', "a.contains", 'write a ~ "x"'),
        ('contains(a, "x")', "contains", 'write a ~ "x"'),
        ("a = 1 | where b = 2", "| where", "no pipes"),
        ("a = 1 | sort b", "| sort", "no pipes"),
        ("a exists = true", "=", "EXISTS takes no value"),
        # AND, OR and NOT.
        ("a = x && b = y", "&&", "write AND"),
        ("a = x || b = y", "||", "write OR"),
        ("a = x&&b = y", "&&", "write AND"),
        ("a=x||b=y", "||", "write OR"),
        ("a=x&b=y", "&", "write AND"),
        ("a=x;b=y", ";", "write AND or OR"),
        ("a = x; b = y", ";", "write AND or OR"),
        ("a = x, b = y", ",", "write AND or OR"),
        ("!a = x", "!", "write NOT"),
        ("!(a = x)", "!", "write NOT"),
        ("a = x NOT b = y", "NOT", "write AND NOT"),
        ("a = x b = y", "b", "write AND or OR before it"),
        ("AND a = x", "AND", "stands between two comparisons"),
        ("a = AND b = y", "AND", "write a value before it"),
        ("a = 1 XOR b = 2", "XOR", "write AND, OR or NOT"),
        # Values.
        ("a = “x”", "“", 'a straight quote " instead of “'),
        ("a IN (‘x’)", "‘", 'a straight quote " instead of ‘'),
        ("“a” = x", "“", 'a straight quote " instead of “'),
        ('a = "x y"*', "*", r"wildcards go with values without quotes: x\ y*"),
        ('a = *"x y"', '"x y"', r"wildcards go with values without quotes: *x\ y"),
        ("a = O'Brien", "O'Brien", 'quote a value with such characters: "O\'Brien"'),
        ("a IN (O'Brien, x)", "O'Brien", 'quote a value with such characters: "O\'Brien"'),
        ("a = x=y", "x=y", 'quote a value with such characters: "x=y"'),
        ("a = f(x)", "f(x)", 'quote a value with such characters: "f(x)"'),
        ("a = New York City", "York City", 'quote a value with blanks: "New York City"'),
        ("a ~ /x/i", "i", "case_insensitive"),
        ("a > now - 7d", "- 7d", "now-7d"),
        ("a > now() - 7d", "()", "write now without brackets"),
        ("a > now - interval '7 days'", "- interval '7 days'", "now-7d"),
        ("a > 7 days ago", "days ago", "now-7d"),
        ("a > 2024-05-03 + 1M", "+ 1M", "2024-05-03||+1M"),
        ("a > 2024-05-03 10:00", "10:00", "2024-05-03T10:00"),
        ("a > 7,5", "7,5", "with a point: 7.5"),
        ("a > 1,000", "1,000", "without separators"),
        ("a > 2024-05-03T10:30:00 +03:00", "+03:00", "without a blank before it: 2024-05-03T10:30:00+03:00"),
        ("a > 2024-05-03T10:30 Z", "Z", "without a blank before it: 2024-05-03T10:30Z"),
        ("a BETWEEN 2024-05-03T10:30 -0300 AND now", "-0300", "without a blank before it: 2024-05-03T10:30-0300"),
        ("a /x.*/", "/x.*/", "write ~ before a regular expression: a ~ /x.*/"),
        ("a NOT /x/ AND b = y", "NOT /x/", "write !~ before a regular expression: a !~ /x/"),
        # Names.
        ("a/b = x", "a/b", 'quote a name with such characters: "a/b"'),
        ("a's = x", "a's", 'quote a name with such characters: "a\'s"'),
        ("a b = x", "b", 'quote the name: "a b"'),
        ("a* = x", "*", "a name has no wildcards"),
        ("a[0] = x", "[0]", "write the field alone"),
        ("$a = x", "$", "the name of the field alone"),
        ("`a` = x", "`", "needs quotes"),
        ("a\u200bb = x", "a\u200bb", "remove the invisible character U+200B"),
        ("a%20=%20x", "%20", "percent-encoded"),
        ("a:b = x", ":", 'a dot stands between the parts of a name: a.b; write "a:b" where the colon is in it'),
        ("a:b: x", ":", "a dot stands between the parts of a name: a.b"),
        ("a->b = x", "a->b", "a dot stands between the parts of a name: a.b"),
        ("a->b exists", "a->b", "a dot stands between the parts of a name: a.b"),
        # A word or a value alone.
        ("web", "", "a word alone is not looked for"),
        ("web AND a = x", "web", "a word alone is not looked for"),
        ("10.0.0.0/8", "10.0.0.0/8", "write field = 10.0.0.0/8"),
        ("fe80::1", "fe80::1", "write field = fe80::1"),
        ('"a = x"', "", "remove the quotes around the query"),
        ('{"match": 1}', "{", "JSON is not taken"),
        ("/x.*/", "/x.*/", "write a field before it"),
    ],
)
def test_a_habit_is_marked_and_told_what_to_write(text: str, marked: str, hint: str) -> None:
    error = _rejection(text)
    assert hint in error.message
    assert text[error.position : error.end] == marked


@pytest.mark.parametrize(
    "text",
    [
        *['a IN ("x" "y")', "a = O'Brien", "a's = x", "a = O'Brien AND b = D'Arcy", 'a = "x" "y"', "a = 'it''s'"],
        *['a = "x"y', 'a LIKE "x%"', 'a:"x y"', 'a = 5"', "a IN (O'Brien)", "a BETWEEN O'Brien AND z"],
    ],
)
def test_an_unclosed_quote_is_said_of_unclosed_quotes_alone(text: str) -> None:
    assert "unclosed" not in _rejection(text).message


@pytest.mark.parametrize("text", ['a = "x', "a = 'x", 'a IN ("x", "y)', '"a = x', 'a = x AND "b', 'a BETWEEN "x AND y'])
def test_an_unclosed_quote_is_said(text: str) -> None:
    assert "unclosed quote" in _rejection(text).message


@pytest.mark.parametrize(
    "text",
    [
        *["a = ~x", "a ~ ~x", "a = !x", "a ~*x", "like = x", "IS = x", "limit = 5", "sort = x", "contains EXISTS"],
        *[
            "-a = x",
            "a--b = x",
            "a = x--y",
            "a = -- AND b = #",
            "a = //host/share",
            "where IN (x)",
            "has = x",
            "count = 1",
        ],
        *["a = x&&y", "a = x;y", "a = [x]", "a = [x", "a = $x", "a = `x`", "a = ≥5", "a = ¬x", "a = x/i", "a = a|b"],
        *["s:{ a = 1 }", "s : {to = x}", "select = x AND from = y", "a = O\\'Brien", "NOT a = x", "a = 7.5", "a = to"],
    ],
)
def test_text_that_looks_like_a_habit_may_be_a_query(text: str) -> None:
    parse(text)
    # Nor is it what is wrong with a query that is wrong elsewhere.
    error = _rejection(f"{text} AND (")
    assert error.position >= len(text)


@given(st.one_of(broken, st.text("ab1 =!~<>:()[]{}\"',;&|*/-+“”\u200b", max_size=24)))
def test_the_text_that_is_shown_of_a_query_is_in_it(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        assert 0 <= error.position <= error.end <= len(text)
        assert re.search(r"\{\w*\}|None", error.message.replace(text, "")) is None or "{" in text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\ufeffa = x", "a = x"),
        ("a = x\u200b", "a = x"),
        ("a =\u200bx AND\u2060 b = y\ufeff", "a = x AND b = y"),
        ("a IN (x\u200b,\u200by)", "a IN (x,y)"),
        ("(\u200ba ~ x\u200b)", "(a ~ x)"),
        ("\u200b\ufeff", ""),
    ],
)
def test_characters_without_a_width_are_white_space_at_the_ends(text: str, plain: str) -> None:
    assert parse(text) == parse(plain)


@pytest.mark.parametrize("text", ["a = x\u200by", 'a = "x\u200b"', "a = x\\\u200b", "a = x\u200b*"])
def test_inside_a_value_they_are_text(text: str) -> None:
    assert "\\u200b" in repr(parse(text))
