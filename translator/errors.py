"""Errors of the query language.

::

    QueryError
    ├── QuerySyntaxError      syntax                the text is not a query
    ├── UnknownField          unknown_field         no such field in the index
    ├── UnsupportedOperator   unsupported_operator  the field's type has no such comparison
    ├── TypeMismatch          type_mismatch         the value does not fit the field's type
    └── TooComplex            too_complex           over a limit

Nothing else is raised for a text, whatever it holds. Names in `sort` and `fields` have errors of their own::

    RefusedName               malformed             the name does not do there
    └── UnknownName           unknown_field         no such field in the index
"""

from typing import ClassVar

from wcwidth import wcswidth, wcwidth

_WINDOW = 120
"""Characters of a long line shown in the caret picture."""


class QueryError(Exception):
    """A rejected query.

    Attributes:
        code: the machine-readable reason, one of the five above.
        message: what is wrong and what to do, for people.
        position: where the offending text starts, in characters from 0.
        end: where it ends; equal to `position` where something is missing.
        suggestions: up to three names that were perhaps meant.
        text: the whole query.
    """

    code: ClassVar[str]

    def __init__(self, message: str, position: int, end: int, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.end = end
        self.suggestions = suggestions
        self.text = ""

    def __str__(self) -> str:
        return f"{self.caret}\n{self.message}"

    @property
    def line(self) -> int:
        """The line of the offending text, from 1."""
        return self.text.count("\n", 0, self.position) + 1

    @property
    def column(self) -> int:
        """The column of the offending text, in characters from 1."""
        return self.position - self._line_start + 1

    @property
    def _line_start(self) -> int:
        return self.text.rfind("\n", 0, self.position) + 1

    @property
    def caret(self) -> str:
        """The two-line picture: the line of the query, and carets below what is wrong in it."""
        start = self._line_start
        line_end = self.text.find("\n", start)
        stop = len(self.text) if line_end < 0 else line_end
        before = after = ""
        if stop - start > _WINDOW:
            window = max(start, min(self.position - _WINDOW // 2, stop - _WINDOW))
            before, start = ("…" if window > start else ""), window
            after, stop = ("…" if window + _WINDOW < stop else ""), min(stop, window + _WINDOW)
        line = before + _printable(self.text[start:stop]) + after
        offset = len(before) - start
        left = wcswidth(line[: self.position + offset])
        right = wcswidth(line[: max(self.position, min(self.end, stop)) + offset])
        return f"{line}\n{' ' * left}{'^' * max(1, right - left)}"

    def as_dict(self) -> dict[str, object]:
        """The error as JSON members: code, message, position, end, line, column, caret, suggestions."""
        return {
            "code": self.code,
            "message": self.message,
            "position": self.position,
            "end": self.end,
            "line": self.line,
            "column": self.column,
            "caret": self.caret,
            "suggestions": list(self.suggestions),
        }


def _printable(line: str) -> str:
    # A control character has no width of its own and would move the carets; a blank takes its place.
    return "".join(" " if wcwidth(character) < 0 else character for character in line)


class QuerySyntaxError(QueryError):
    """The text is not a query."""

    code = "syntax"


class UnknownField(QueryError):
    """The index has no such field."""

    code = "unknown_field"


class UnsupportedOperator(QueryError):
    """The field's type has no such comparison."""

    code = "unsupported_operator"


class TypeMismatch(QueryError):
    """The value is invalid for the field's type."""

    code = "type_mismatch"


class TooComplex(QueryError):
    """The query is over a limit."""

    code = "too_complex"


class RefusedName(Exception):
    """A name in `sort` or `fields` that cannot be used there.

    Attributes:
        code: the machine-readable reason.
        message: what is wrong and what to do, for people.
        suggestions: up to three names that were perhaps meant.
    """

    code: ClassVar[str] = "malformed"

    def __init__(self, message: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.suggestions = suggestions


class UnknownName(RefusedName):
    """The index has no such field."""

    code = "unknown_field"


def shown(text: str) -> str:
    """A piece of a query as messages show it: on one line, cut to a readable length."""
    return _printable(text if len(text) <= 60 else f"{text[:59]}…")


def quoted(text: str) -> str:
    """Shorten a text and put it in quotes."""
    return f'"{shown(text)}"'
