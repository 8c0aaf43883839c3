"""What is wrong with a text that is not a query.

The text is read word by word, with the same rules as `translator.grammar` but slowly, up to the first word that does
not fit; there is no tree, only what is needed to say what was expected.
"""

import itertools
import re
from enum import Enum

from translator import tokens
from translator.errors import QueryError, QuerySyntaxError, TooComplex, quoted
from translator.limits import MAX_CLAUSES, MAX_DEPTH, MAX_MEMBERS

_FLAGS = re.DOTALL
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"""[^\s(){},"'=<>!]+|[=<>!~]+|.""", _FLAGS)
_KEYWORD = re.compile(tokens.KEYWORDS + tokens.WORD_END)
_VALUE_KEYWORD = re.compile(tokens.KEYWORDS)
_FIELD = re.compile(tokens.FIELD, _FLAGS)
_VALUE = re.compile(tokens.VALUE, _FLAGS)
_SIGN = re.compile(r"!?[=~]|[<>]=?")
_REGEX = re.compile(tokens.REGEX, _FLAGS)
_REGEX_END = re.compile(tokens.REGEX_END)
_CLOSER = {"(": ")", "{": "}"}
_FOREIGN = {
    "&&": "; write AND",
    "&": "; write AND",
    "||": "; write OR",
    "|": "; write OR",
    "!": "; write NOT",
    "==": "; one = compares",
    "<>": "; write !=",
    ":": "; write = to compare, or field:{ … } for one nested object",
    "LIKE": "; write = with * and ?",
    "IS": "; write EXISTS or NOT EXISTS",
    ",": "; write AND or OR between comparisons",
}
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
    """What can stand at a place of a query."""

    FIELD = "field"
    OPERATOR = "operator"
    NEGATED_OPERATOR = "operator after NOT"
    VALUE = "value"
    CONNECTIVE = "connective"
    NOTHING = "nothing"
    """Nothing that could be listed: a list's bracket or comma, the AND of BETWEEN."""


class Reader:
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
                raise self._unexpected("AND, OR or the end of the query")
            self.at += len(keyword)
            before = f"after {keyword}"

    def _openings(self, before: str) -> str:
        while True:
            self._skip_space()
            position = self.at
            if self._keyword() == "NOT":
                self.at += 3
                before = "after NOT"
                continue
            field = _FIELD.match(self.text, self.at)
            if field is not None:
                self.at = field.end()
                self._skip_space()
                if not self.text.startswith(":", self.at):
                    self.at = position
                    return before
                colon = self.at
                self.at += 1
                self._skip_space()
                if not self.text.startswith("{", self.at):
                    self.at = colon
                    raise self._unexpected(f"an operator after the field {quoted(field[0])}: {_OPERATORS}")
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
        if field is None:
            raise self._unexpected(f"a comparison {before}", quoting="to use it as a field name")
        self.clauses += 1
        if self.clauses > MAX_CLAUSES:
            raise TooComplex(f"the query has more than {MAX_CLAUSES:,} comparisons", field.start(), field.end())
        self.at = field.end()
        self.field = field[0]
        self.expected = Expected.OPERATOR
        self._skip_space()
        if sign := _SIGN.match(self.text, self.at):
            self.at = sign.end()
            self._operand(sign[0])
            return
        keyword = self._keyword()
        expected = f"an operator after the field {quoted(field[0])}: {_OPERATORS}"
        if keyword == "NOT":
            self.at += 3
            self.expected = Expected.NEGATED_OPERATOR
            self._skip_space()
            keyword = self._keyword()
            expected = f"IN, BETWEEN or EXISTS after {quoted(field[0])} NOT"
        if keyword not in ("IN", "BETWEEN", "EXISTS"):
            raise self._unexpected(expected)
        self.at += len(keyword)
        if keyword == "IN":
            self._members()
        elif keyword == "BETWEEN":
            self._value("after BETWEEN")
            self.expected = Expected.NOTHING
            self._skip_space()
            if self._keyword() != "AND":
                raise self._unexpected("AND and the upper value of BETWEEN")
            self.at += 3
            self._value("after AND: the upper value of BETWEEN")

    def _operand(self, sign: str) -> None:
        self._skip_space()
        if "~" not in sign or not self.text.startswith("/", self.at):
            self._value(f"after {sign}")
            return
        regex = _REGEX.match(self.text, self.at)
        if regex is None:
            if self.text.startswith("//", self.at):
                raise QuerySyntaxError("the regular expression is empty; quote a path", self.at, self.at + 2)
            message = "unclosed regular expression opened here; expected / at its end; quote a path"
            raise QuerySyntaxError(message, self.at, self.at + 1)
        self.at = regex.end()
        if _REGEX_END.match(self.text, self.at) is None:
            raise self._unexpected("white space after the regular expression (quote a path, write \\/ for a slash)")

    def _members(self) -> None:
        self.expected = Expected.NOTHING
        self._skip_space()
        if not self.text.startswith("(", self.at):
            raise self._unexpected("( and a list of values after IN")
        opened = self.at
        self.at += 1
        before = "after ("
        for count in itertools.count(1):
            self.expected = Expected.VALUE
            if self._is_at_end():
                raise QuerySyntaxError("unclosed list opened here; expected ) at its end", opened, opened + 1)
            start = self.at
            self._value(before)
            if count > MAX_MEMBERS:
                raise too_many_members(start, self.at)
            self.expected = Expected.NOTHING
            if self._is_at_end():
                raise QuerySyntaxError("unclosed list opened here; expected ) at its end", opened, opened + 1)
            mark = self.text[self.at]
            if mark not in ",)":
                raise self._unexpected("a comma or ) in the list of values")
            self.at += 1
            if mark == ")":
                return
            before = "after the comma"

    def _value(self, before: str) -> None:
        self.expected = Expected.VALUE
        self._skip_space()
        value = _VALUE.match(self.text, self.at)
        if value is None:
            raise self._unexpected(f"a value {before}", quoting="to use it as a value")
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

    def _unexpected(self, expected: str, *, quoting: str = "") -> QuerySyntaxError:
        word = _WORD.match(self.text, self.at)
        if word is None:
            return QuerySyntaxError(f"expected {expected}; found the end of the query", self.at, self.at)
        found = word[0]
        if found in ('"', "'"):
            return QuerySyntaxError(f"unclosed quote opened here; expected {found} at its end", self.at, self.at + 1)
        if quoting and _VALUE_KEYWORD.fullmatch(found):
            hint = f'; write "{found}" {quoting}'
        else:
            hint = _FOREIGN.get(found.upper(), "")
        return QuerySyntaxError(f"expected {expected}; found {quoted(found)}{hint}", self.at, word.end())
