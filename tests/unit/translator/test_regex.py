"""Regular expressions in Lucene's dialect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translator.errors import QueryError, QuerySyntaxError, TooComplex
from translator.regex import has_white_space, to_lucene


@pytest.mark.parametrize(
    ("pattern", "lucene"),
    [
        ("a", ".*a.*"),
        ("^a", "a.*"),
        ("a$", ".*a"),
        ("^a$", "a"),
        ("^$", "()"),
        ("^", ".*"),
        ("$", ".*"),
        ("^a|b$|c", "a.*|.*b|.*c.*"),
        ("a|b|c", ".*(a|b|c).*"),
        ("^a|^b|c|d$|^e$|^f$|g", "(a|b).*|.*(c|g).*|.*d|e|f"),
        (".*a.*|.*b.*", ".*(a|b).*"),
        ("^.*a.*$", ".*a.*"),
        (r"\.*a\.*", r".*\.*a\.*.*"),
        (".*", ".*"),
        ("^|^a", "(()|a).*"),
        ("^(a|b)+[0-9]{2,3}$", "(a|b)+[0-9]{2,3}"),
        ("^a{2}b{3,}c?d*$", "a{2}b{3,}c?d*"),
        (r"^\d\D\s\S\w\W$", r"\d\D\s\S\w\W"),
        (r"^a\/b\.\^\$\($", r"a\/b\.\^\$\("),
        ('^"x"$', '\\"x\\"'),
        ("^a@b#c&d<e>f~$", "a@b#c&d<e>f~"),
        ("^[^a-z]$", "[^a-z]"),
        ("^[-a]$", "[\\-a]"),
        ("^[a-]$", "[a\\-]"),
        (r"^[\]\-x]$", r"[\]\-x]"),
        ("^漢👩$", "漢👩"),
        ("^]}$", "]}"),
    ],
)
def test_a_pattern_is_anchored_where_it_says_so(pattern: str, lucene: str) -> None:
    assert to_lucene(pattern) == lucene


@pytest.mark.parametrize(
    ("pattern", "marked"),
    [
        ("a(?:b)", "(?"),
        ("(?i)a", "(?"),
        ("(a)\\1", "\\1"),
        ("a*?", "?"),
        ("a++", "+"),
        ("a{2}?", "?"),
        ("a^b", "^"),
        ("(^a)", "^"),
        ("a$b", "$"),
        ("(a$)", "$"),
        ("a\\n", "\\n"),
        ("\\bword", "\\b"),
        ("\\p{L}", "\\p"),
        ("[\\x]", "\\x"),
        ("*a", "*"),
        ("a|+b", "+"),
        ("(?", "(?"),
        ("a{", "{"),
        ("a{,3}", "{"),
        ("a{3,2}", "{3,2}"),
        ("(a", "("),
        ("a)", ")"),
        ("[a", "["),
        ("[", "["),
        ("[^", "["),
        ("[]a]", "]"),
        ("[[:alpha:]]", "[:"),
        ("[z-a]", "z-a"),
        ("[a-\\d]", "a-\\d"),
        ("a\\", "\\"),
        ("a||b", "|"),
        ("a|", ""),
        ("()", ")"),
        ("(a|)", ")"),
    ],
)
def test_a_pattern_that_lucene_would_misread_is_refused_at_its_position(pattern: str, marked: str) -> None:
    with pytest.raises(QuerySyntaxError) as raised:
        to_lucene(pattern, 10)
    assert pattern[raised.value.position - 10 : raised.value.end - 10] == marked


@pytest.mark.parametrize(
    "pattern",
    [
        "a" * 1_001,
        "a" * 998,
        "a|" * 497 + "a",
        "((a{100}){100}){100}",
        "a{100000}",
        "(" * 51 + "a" + ")" * 51,
        "(ab{99}){200}",
    ],
)
def test_a_pattern_over_a_limit_is_refused(pattern: str) -> None:
    with pytest.raises(TooComplex):
        to_lucene(pattern)


@given(st.one_of(st.text(), st.text('ab()[]|*+?{},0123^$\\-.dwx/:"')))
def test_any_pattern_is_translated_or_refused_inside_it(pattern: str) -> None:
    try:
        assert len(to_lucene(pattern, 5)) <= 1_000
    except QueryError as error:
        assert 5 <= error.position <= error.end <= 5 + len(pattern)


@pytest.mark.parametrize("pattern", ["a b", "a\tb", r"a\sb", r"a\ b", "(a b)", "a\u00a0b"])
def test_white_space_is_seen(pattern: str) -> None:
    assert has_white_space(pattern)


@pytest.mark.parametrize("pattern", ["ab", r"a\Sb", "[ _]", r"a[\s_]b", r"\[\]", r"\\s"])
def test_white_space_that_is_only_a_choice_is_no_white_space(pattern: str) -> None:
    assert not has_white_space(pattern)
