"""Errors of a text that is no query."""

import pytest

from translator.errors import QuerySyntaxError
from translator.grammar import parse


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("a = ", "", "expected a value after =; found the end of the query"),
        ("a =", "", "expected a value after =; found the end of the query"),
        ("a", "", 'expected an operator after the field "a"'),
        ("a b = 1", "b", 'expected an operator after the field "a"'),
        ("a : b", ":", "write = to compare"),
        ("a == 1", "==", 'found "=="; write one ='),
        ("a <> 1", "<>", "write !=: a != 1"),
        ("a LIKE x", "LIKE", "write = with * and ?"),
        ("a IS null", "IS null", "write a NOT EXISTS"),
        ("a = 1 && b = 2", "&&", "write AND"),
        ("a = 1 || b = 2", "||", "write OR"),
        ("a = 1, b = 2", ",", "write AND or OR"),
        ("! a = 1", "!", "write NOT"),
        ("a = 1 b = 2", "b", "expected AND, OR or the end of the query"),
        ("a = 1 AND", "", "expected a comparison after AND; found the end of the query"),
        ("a = 1 AND OR b = 2", "OR", 'expected a comparison after AND; found "OR"'),
        ("and = 1", "and", 'write "and" to use it as a field name'),
        ("a = not", "not", 'write "not" to use it as a value'),
        ("NOT", "", "expected a comparison after NOT"),
        ("()", ")", "expected a comparison after ("),
        ("(a = 1", "(", "unclosed bracket opened here; expected )"),
        ("b = 2 AND (a = 1 AND (c = 3)", "(", "unclosed bracket opened here; expected )"),
        ("s:{a = 1", "{", "unclosed bracket opened here; expected }"),
        ("a = 1)", ")", ") closes no bracket"),
        ("(a = 1}", "}", "expected ) for the ( at line 1, column 1; found }"),
        ("\n s:{a = 1)", ")", "expected } for the { at line 2, column 4; found )"),
        ('a = "x', '"', 'unclosed quote opened here; expected "'),
        ("'a = x", "'", "unclosed quote opened here; expected '"),
        ("a in", "", "expected ( and a list of values after IN"),
        ("a in x", "x", "expected ( and a list of values after IN"),
        ("a in ()", ")", "expected a value after ("),
        ("a in (x,)", ")", "expected a value after the comma"),
        ("a in (x y)", "y", "expected a comma or )"),
        ("a in (x", "(", "unclosed list opened here"),
        ("a in (x,", "(", "unclosed list opened here"),
        ("a between 1", "", "expected AND and the upper value of BETWEEN"),
        ("a between 1 and", "", "expected a value after AND: the upper value of BETWEEN"),
        ("a between 1 or 2", "or", "expected AND and the upper value of BETWEEN"),
        ("a not 1", "not", "write !=: a != 1"),
        ("a not x 1", "x", "expected IN, BETWEEN or EXISTS"),
        ("a existsx", "existsx", "expected an operator"),
        ("a ~ /etc/passwd", "passwd", "quote a path"),
        ("a ~ /etc", "/", "unclosed regular expression opened here"),
        ("a ~ //", "//", "the regular expression is empty"),
        ("ünï = 1 ß = 2", "ß", "expected AND, OR or the end of the query"),
    ],
)
def test_the_first_word_that_does_not_fit_is_marked_and_explained(text: str, marked: str, message: str) -> None:
    with pytest.raises(QuerySyntaxError) as raised:
        parse(text)
    error = raised.value
    assert message in error.message
    assert text[error.position : error.end] == marked
    if not marked:
        assert error.position == len(text)
