"""Syntax errors of a text that is not a query.

The text is read word by word, with the same rules as `translator.grammar` but slowly, up to the first word that does
not fit; there is no tree, only what is needed to say what was expected.
"""

import itertools
import re
from collections.abc import Callable
from enum import Enum

from translator import habits, tokens
from translator.errors import QueryError, QuerySyntaxError, TooComplex, quoted
from translator.habits import Habit, Place
from translator.limits import MAX_CLAUSES, MAX_DEPTH, MAX_MEMBERS

_FLAGS = re.DOTALL
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"""[^\s(){},"'=<>!]+|[=<>!~]+|.""", _FLAGS)
_KEYWORD = re.compile(tokens.KEYWORDS + tokens.WORD_END)
_FIELD = re.compile(tokens.FIELD, _FLAGS)
_VALUE = re.compile(tokens.VALUE, _FLAGS)
_SIGN = re.compile(r"!?[=~]|[<>]=?")
_REGEX = re.compile(tokens.REGEX, _FLAGS)
_REGEX_END = re.compile(tokens.REGEX_END)
_CLOSER = {"(": ")", "{": "}"}
_SCOPE = re.compile(r"\s*+(?P<colon>:)\s*+\{")
_END_OF_QUERY = "the end of the query"
_OPERATORS = "=, !=, <, <=, >, >=, ~, !~, IN, BETWEEN or EXISTS"


def diagnose(text: str) -> QueryError:
    """Say what is wrong with a text that the grammar has refused.

    Returns:
        The error of the first word that does not fit.
    """
    try:
        Reader(text).read()
    except QueryError as error:
        return error
    return QuerySyntaxError("this is not a query", 0, len(text))


def too_many_members(position: int, end: int) -> TooComplex:
    """The error of the first value that is one too many for its IN."""
    return TooComplex(f"IN takes at most {MAX_MEMBERS:,} values", position, end)


class Expected(Enum):
    """Expectations at a place of a query."""

    FIELD = "field"
    OPERATOR = "operator"
    NEGATED_OPERATOR = "operator after NOT"
    VALUE = "value"
    CONNECTIVE = "connective"
    NOTHING = "nothing"
    """Nothing that could be listed: a list's bracket or comma, the AND of BETWEEN."""


class Reader:  # pylint: disable=too-many-instance-attributes  # what was read, for who explains or completes it
    """Reads a text up to the first word that does not fit.

    Attributes:
        at: how far it has read.
        expected: what could stand there.
        field: the field of the last comparison, as written.
        scopes: the fields of the open scopes, as written, from the outermost to the innermost.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.expected = Expected.FIELD
        self.field = ""
        self.open: list[tuple[str, int, str]] = []
        self.clauses = 0
        self._field_at = 0
        self._operator = ""
        self._connective = ""
        self._value = (0, 0)

    @property
    def scopes(self) -> list[str]:
        """The fields of the open scopes."""
        return [field for bracket, _, field in self.open if bracket == "{"]

    def read(self) -> None:
        """Read all of the text; returns only where nothing is wrong with it."""
        before = "at the start"
        while True:
            self.expected = Expected.FIELD
            before = self._openings(before)
            self._comparison(before)
            self.expected = Expected.CONNECTIVE
            self._closings()
            if self.at == len(self.text):
                if self.open:
                    bracket, position, _ = self.open[-1]
                    message = f"unclosed bracket opened here; expected {_CLOSER[bracket]} before the end of the query"
                    raise QuerySyntaxError(message, position, position + 1)
                return
            keyword = self._keyword()
            if keyword not in ("AND", "OR"):
                raise self._unexpected("AND, OR or the end of the query", habits.after_comparison(self._place()))
            self.at += len(keyword)
            self._connective = keyword
            before = f"after {keyword}"

    def _openings(self, before: str) -> str:
        while True:
            self._skip_space()
            if self._keyword() == "NOT":
                self.at += 3
                before = "after NOT"
                continue
            field = _FIELD.match(self.text, self.at)
            if field is not None:
                colon = _SCOPE.match(self.text, field.end())
                if colon is None:
                    return before
                self.at = colon.end() - 1
                if habit := habits.at_scope(self._place(field, colon.start("colon"))):
                    raise self._unexpected(_operators(field[0]), habit)
            elif not self.text.startswith("(", self.at):
                return before
            bracket = self.text[self.at]
            self.open.append((bracket, self.at, field[0] if field else ""))
            self.at += 1
            if len(self.open) > MAX_DEPTH:
                raise TooComplex(f"brackets are nested more than {MAX_DEPTH} deep", self.at - 1, self.at)
            before = f"after {bracket}"

    def _closings(self) -> None:
        while True:
            self._skip_space()
            bracket = self.text[self.at : self.at + 1]
            if bracket not in (")", "}"):
                return
            if not self.open:
                raise QuerySyntaxError(f"{bracket} closes no bracket", self.at, self.at + 1)
            opened, position, _ = self.open.pop()
            if _CLOSER[opened] != bracket:
                line = self.text.count("\n", 0, position) + 1
                column = position - self.text.rfind("\n", 0, position)
                message = (
                    f"expected {_CLOSER[opened]} for the {opened} at line {line}, column {column}; found {bracket}"
                )
                raise QuerySyntaxError(message, self.at, self.at + 1)
            self.at += 1

    def _comparison(self, before: str) -> None:
        field = _FIELD.match(self.text, self.at)
        habit = habits.at_comparison(self.text, self.at)
        if field is None or habit is not None:
            raise self._unexpected(f"a comparison {before}", habit)
        self.clauses += 1
        if self.clauses > MAX_CLAUSES:
            raise TooComplex(f"the query has more than {MAX_CLAUSES:,} comparisons", field.start(), field.end())
        self.at = field.end()
        self.field = field[0]
        self.expected = Expected.OPERATOR
        self._skip_space()
        if habit := habits.at_operator(self._place(field), self._operator, self._connective):
            raise self._unexpected(_operators(field[0]), habit)
        self._field_at = field.start()
        self._value = (0, 0)
        if sign := _SIGN.match(self.text, self.at):
            self._operator = sign[0]
            self.at = sign.end()
            self._operand(sign[0])
            return
        keyword = self._keyword()
        expected = _operators(field[0])
        negation = ""
        if keyword == "NOT":
            negation = "NOT "
            self.at += 3
            self.expected = Expected.NEGATED_OPERATOR
            self._skip_space()
            keyword = self._keyword()
            expected = f"IN, BETWEEN or EXISTS after {quoted(field[0])} NOT"
        if keyword not in ("IN", "BETWEEN", "EXISTS"):
            raise self._unexpected(expected)
        self._operator = negation + keyword
        self.at += len(keyword)
        if keyword == "IN":
            self._members()
        elif keyword == "BETWEEN":
            self._read_value("after BETWEEN", habits.at_range)
            self.expected = Expected.NOTHING
            self._skip_space()
            if self._keyword() != "AND":
                raise self._unexpected("AND and the upper value of BETWEEN", habits.in_range(self._place()))
            self.at += 3
            self._read_value("after AND: the upper value of BETWEEN", habits.at_value)

    def _operand(self, sign: str) -> None:
        self._skip_space()
        if "~" not in sign or not self.text.startswith("/", self.at):
            self._read_value(f"after {sign}", habits.at_value)
            return
        regex = _REGEX.match(self.text, self.at)
        if regex is None:
            if self.text.startswith("//", self.at):
                raise QuerySyntaxError("the regular expression is empty; quote a path", self.at, self.at + 2)
            message = "unclosed regular expression opened here; expected / at its end; quote a path"
            raise QuerySyntaxError(message, self.at, self.at + 1)
        self.at = regex.end()
        self._operator = f"{sign} /"
        if _REGEX_END.match(self.text, self.at) is None:
            expected = "white space after the regular expression (quote a path, write \\/ for a slash)"
            raise self._unexpected(expected, habits.after_regex(self._place()))

    def _members(self) -> None:
        self.expected = Expected.NOTHING
        self._skip_space()
        if not self.text.startswith("(", self.at):
            raise self._unexpected("( and a list of values after IN", habits.at_list(self._place()))
        opened = self.at
        self.at += 1
        before = "after ("
        for count in itertools.count(1):
            self.expected = Expected.VALUE
            if self._is_at_end():
                raise QuerySyntaxError("unclosed list opened here; expected ) at its end", opened, opened + 1)
            start = self.at
            self._read_value(before, habits.at_value)
            if count > MAX_MEMBERS:
                raise too_many_members(start, self.at)
            self.expected = Expected.NOTHING
            if self._is_at_end():
                raise QuerySyntaxError("unclosed list opened here; expected ) at its end", opened, opened + 1)
            mark = self.text[self.at]
            if mark not in ",)":
                raise self._unexpected("a comma or ) in the list of values", habits.in_list(self._place()))
            self.at += 1
            if mark == ")":
                return
            before = "after the comma"

    def _read_value(self, before: str, habit: Callable[[Place], Habit | None]) -> None:
        self.expected = Expected.VALUE
        self._skip_space()
        if found := habit(self._place()):
            raise self._unexpected(f"a value {before}", found)
        value = _VALUE.match(self.text, self.at)
        if value is None:
            raise self._unexpected(f"a value {before}")
        self._value = value.span()
        self.at = value.end()

    def _keyword(self) -> str:
        keyword = _KEYWORD.match(self.text, self.at)
        return keyword[0].upper() if keyword else ""

    def _skip_space(self) -> None:
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at

    def _is_at_end(self) -> bool:
        self._skip_space()
        return self.at == len(self.text)

    def _place(self, field: re.Match[str] | None = None, at: int | None = None) -> Place:
        """State of the reader; with a field that it has just read, only that was read."""
        at = self.at if at is None else at
        if field is not None:
            return Place(self.text, at, field[0], field.start())
        return Place(self.text, at, self.field, self._field_at, self._operator, *self._value)

    def _unexpected(self, expected: str, habit: Habit | None = None) -> QuerySyntaxError:
        if habit is not None:
            found = quoted(self.text[habit.position : habit.end]) if habit.end > habit.position else _END_OF_QUERY
            # A correction says more than a list of all that could stand there.
            message = f"expected {expected.partition(': ')[0]}; found {found}; {habit.hint}"
            return QuerySyntaxError(message, habit.position, habit.end)
        word = tokens.QUOTED.match(self.text, self.at) or _WORD.match(self.text, self.at)
        if word is None:
            return QuerySyntaxError(f"expected {expected}; found {_END_OF_QUERY}", self.at, self.at)
        found = word[0]
        if found in ('"', "'"):
            return QuerySyntaxError(f"unclosed quote opened here; expected {found} at its end", self.at, self.at + 1)
        return QuerySyntaxError(f"expected {expected}; found {quoted(found)}", self.at, word.end())


def _operators(field: str) -> str:
    return f"an operator after the field {quoted(field)}: {_OPERATORS}"
