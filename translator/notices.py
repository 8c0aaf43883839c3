"""Notices on valid queries that probably do not mean what their authors intend.

Such a query runs all the same. Each notice says where, why, and, where one is known, what to write there instead.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import NamedTuple, TypeAlias

from translator import tokens
from translator.catalogue import Family, Field
from translator.errors import quoted
from translator.limits import MAX_NOTICES
from translator.nodes import Comparison, Operator, Value, Wildcard


class Notice(NamedTuple):
    """One notice.

    Attributes:
        code: the machine-readable reason, such as ``lexical_order``.
        message: what the query says, for people.
        position: where the text starts that is meant, in characters from 0.
        end: where it ends.
        suggestion: a text for that place that says what was perhaps meant; None where none is known.
    """

    code: str
    message: str
    position: int
    end: int
    suggestion: str | None = None


def written(found: Iterable[Notice]) -> list[dict[str, object]]:
    """Notices as JSON members: code, message, position, end, suggestion."""
    return [notice._asdict() for notice in found]


def notice_line(notice: Notice) -> str:
    """A notice as a line for people."""
    hint = "" if notice.suggestion is None else f"; perhaps you mean: {notice.suggestion or '(nothing)'}"
    return f"notice: {notice.message} (at character {notice.position + 1}){hint}"


Compared: TypeAlias = tuple[Comparison, Field]
"""A comparison of a query, and the field that it means."""

_RANGES = frozenset(
    (Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.BETWEEN)
)
_STRINGS = frozenset((Family.KEYWORD, Family.FLATTENED, Family.TEXT))
# With an epoch and a release, as packages have them, or an exponent.
_NUMBER_OR_VERSION = re.compile(
    r"[vV]?(?:[0-9]+:(?=[0-9]+\.))?[+-]?(?:[0-9]+(?:\.[0-9]+)*|\.[0-9]+)(?:[eE][+-]?[0-9]+|(?:[-+.~][0-9A-Za-z]+)+)?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}")
_WHOLE_REGEX = re.compile(r"/.+/[a-z]{0,3}", re.DOTALL)
_LOOKS_LIKE_REGEX = re.compile(r"\A\^.|\.[*+]|[^|]\|[^|]|\[[^\[\]]++\][*+?{]|\\[dw][+{]", re.DOTALL)
_WIDE_BLANK = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_ODD = re.compile(
    rf"""{tokens.ZERO_WIDTH} | {tokens.TYPOGRAPHIC_QUOTE} | {_WIDE_BLANK}
    | [\u115f\u1160\u3164\uffa0\ufe00-\ufe0f\U000e0000-\U000e01ef]
    | [\u2010-\u2015\u2212\u2024-\u2026\u2043\u2044\u2215\u2217\ufe10-\ufe6f\uff01-\uff5e]
    | [\u0000-\u0008\u000e-\u001b\u007f]""",
    re.VERBOSE,
)
_PLAIN = {"DASH": "\u2010-\u2015\u2212\u2043", "QUOTE": "\u2018-\u201b\u2032\u00b4\uff07"}
_DASHES = re.compile(f"[{_PLAIN['DASH']}]")
_SINGLE_QUOTES = re.compile(f"[{_PLAIN['QUOTE']}]")
_DOUBLE_QUOTES = re.compile("[\u00ab\u00bb\u201c-\u201f\u2033-\u2036\u2039\u203a\u301d-\u301f\uff02]")
# Few values have any of these, so most are done with after one look.
_SUSPECT = re.compile(r"[\\;%/|^\[]|\.[*+]|\A[\"'].*[*?]|[^ -~]|\A[nN][uU][lL][lL]\Z")


def notices(text: str, compared: Iterable[Compared]) -> tuple[Notice, ...]:
    """Look for what a query probably does not mean.

    Args:
        text: the query.
        compared: its comparisons, with the fields that they mean, in the order of the text.

    Returns:
        at most ``MAX_NOTICES``, in the order of the text; a suggestion may be an error in its place.
    """
    found: list[Notice] = []
    for comparison, field in compared:
        found += _of_comparison(text, comparison, field)
        if len(found) > MAX_NOTICES:
            break
    if not found:
        return ()
    found.sort(key=lambda notice: notice.position)
    return tuple(found[:MAX_NOTICES])


def _of_comparison(text: str, comparison: Comparison, field: Field) -> Iterator[Notice]:
    operator = comparison.operator
    if operator is Operator.MATCHES or operator is Operator.EXISTS:
        for value in comparison.values:
            yield from _odd(value, text[value.position : value.end])
        return
    is_string = field.family in _STRINGS
    limit = _limit(field, operator)
    for value in comparison.values:
        raw = text[value.position : value.end]
        if is_string and operator in _RANGES:
            yield from _order(field, value)
        if limit is not None and 2 * len(raw) > limit:
            yield from _length(field, value, limit)
        if _SUSPECT.search(raw) is None:
            continue
        if raw[0] not in "\"'":
            yield from _of_bare(text, value, raw)
            if is_string:
                yield from _null(text, comparison, value, raw)
        elif is_string:
            yield from _quoted_wildcard(value)
        if is_string:
            yield from _percent(value, raw)
            yield from _regex(text, comparison, value, raw)
            yield from _block(field, value)
        yield from _odd(value, raw)


def _limit(field: Field, operator: Operator) -> int | None:
    """Characters over which a whole value of the field is not indexed; None where it is, however long it is."""
    if field.family is Family.TEXT and field.keyword is not None and operator is not Operator.CONTAINS:
        field = field.keyword
    return field.ignore_above if field.family in (Family.KEYWORD, Family.FLATTENED) else None


def _order(field: Field, value: Value) -> Iterator[Notice]:
    literal = value.text
    if (
        literal is not None
        and field.type != "version"
        and _NUMBER_OR_VERSION.fullmatch(literal)
        and _DATE.match(literal) is None
    ):
        message = (
            f"{quoted(field.path)} is text, which is ordered by characters: 8.10 comes before 8.9, and 10 before 9"
        )
        yield Notice("lexical_order", message, value.position, value.end)


def _length(field: Field, value: Value, limit: int) -> Iterator[Notice]:
    # Elasticsearch counts UTF-16 code units, as Java does.
    literal = "".join(part for part in value.parts if isinstance(part, str))
    if len(literal.encode("utf-16-le", "surrogatepass")) // 2 > limit:
        message = (
            f"values of {quoted(field.path)} longer than {limit:,} characters are not indexed, so none equals this one"
        )
        yield Notice("too_long_to_be_indexed", message, value.position, value.end)


def _of_bare(text: str, value: Value, raw: str) -> Iterator[Notice]:
    if raw.startswith("\\\\") and not raw.startswith("\\\\\\\\"):
        message = "a backslash before another is dropped: the value starts with one; write \\\\\\\\ for two"
        yield Notice("escaped_backslash", message, value.position, value.end, f"\\\\{raw}")
    escapes = [match.start() for match in _ESCAPED.finditer(raw) if match[1] in "*?"]
    backslashes = [match.start() for match in _ESCAPED.finditer(raw) if match[1].isalnum() or match[1] == "\\"]
    if escapes and (escapes[-1] == len(raw) - 2 or backslashes):
        at = escapes[-1]
        mark = raw[at + 1]
        message = f"\\{mark} is the character {mark} itself; \\\\{mark} is a backslash and a wildcard"
        yield Notice("escaped_wildcard", message, value.position + at, value.position + at + 2, f"\\\\{mark}")
    if raw.endswith(";") and len(raw) > 1 and _AT_THE_END.match(text, value.end):
        message = "the semicolon is a part of the value; a query needs none at its end"
        yield Notice("trailing_semicolon", message, value.end - 1, value.end, "")


_AT_THE_END = re.compile(r"[\s)}]*\Z")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _null(text: str, comparison: Comparison, value: Value, raw: str) -> Iterator[Notice]:
    if raw.casefold() != "null":
        return
    message = f"{raw} is the text {quoted(raw)} here; NOT EXISTS asks for missing values"
    written = text[comparison.position : comparison.end]
    name = text[comparison.name.position : comparison.name.end]
    if comparison.operator is Operator.EQUAL and written.startswith(name):
        is_negated = written[len(name) :].lstrip().startswith("!")
        suggestion = f"{name} EXISTS" if is_negated else f"{name} NOT EXISTS"
        yield Notice("null_text", message, comparison.position, comparison.end, suggestion)
    else:
        yield Notice("null_text", message, value.position, value.end)


def _quoted_wildcard(value: Value) -> Iterator[Notice]:
    literal = value.text or ""
    if "*" in literal or "?" in literal:
        parts = tuple(_wildcards(literal))
        message = "* and ? in quotes are literal; without quotes they are wildcards"
        yield Notice("quoted_wildcard", message, value.position, value.end, tokens.write_value(parts))


def _wildcards(literal: str) -> Iterator[str | Wildcard]:
    previous: str | Wildcard = ""
    for part in re.split(r"([*?])", literal):
        found = {"*": Wildcard.ANY, "?": Wildcard.ONE}.get(part, part)
        if found and (found is not Wildcard.ANY or previous is not Wildcard.ANY):
            yield found
            previous = found


def _percent(value: Value, raw: str) -> Iterator[Notice]:
    inner = raw[1:-1] if raw[0] in "\"'" else raw
    if len(inner) > 1 and (inner[0] == "%" or inner[-1] == "%"):
        start, end = inner[0] == "%", inner[-1] == "%"
        literal = (value.text or "")[start : -1 if end else None]
        parts = (*((Wildcard.ANY,) if start else ()), literal, *((Wildcard.ANY,) if end else ()))
        suggestion = tokens.write_value(parts) if value.text is not None and literal else None
        yield Notice("percent_wildcard", "% is literal; * is the wildcard", value.position, value.end, suggestion)


def _regex(text: str, comparison: Comparison, value: Value, raw: str) -> Iterator[Notice]:
    inner = raw[1:-1] if raw[0] in "\"'" else raw
    operator = comparison.operator
    if operator is Operator.EQUAL and len(inner) > 2 and _WHOLE_REGEX.fullmatch(inner):
        name = text[comparison.name.position : comparison.name.end]
        written = text[comparison.position : comparison.end]
        sign = "!~" if written[len(name) :].lstrip().startswith("!") else "~"
        pattern = inner[: inner.rindex("/") + 1]
        message = "slashes are literal after =; ~ takes a regular expression"
        suggestion = f"{name} {sign} {pattern}" if written.startswith(name) else None
        yield Notice("regex_as_text", message, comparison.position, comparison.end, suggestion)
    elif operator is Operator.CONTAINS and _LOOKS_LIKE_REGEX.search(inner):
        pattern = "/" + re.sub(r"(?<!\\)/", r"\\/", inner) + "/"
        message = "this is text and no pattern; a regular expression stands between slashes"
        yield Notice("regex_as_text", message, value.position, value.end, pattern)


def _block(field: Field, value: Value) -> Iterator[Notice]:
    literal = value.text
    if literal is None or "/" not in literal or not (literal[0].isalnum() or literal[0] == ":"):
        return
    try:
        ip_network(literal, strict=False)
    except ValueError:
        return
    message = f"{quoted(field.path)} is text: an address block is looked for as it is written, not for its addresses"
    yield Notice("block_as_text", message, value.position, value.end)


def _odd(value: Value, raw: str) -> Iterator[Notice]:
    odd = _ODD.search(raw)
    if odd is None:
        return
    plain = _DASHES.sub("-", _SINGLE_QUOTES.sub("'", _DOUBLE_QUOTES.sub('"', raw)))
    plain = re.sub(_WIDE_BLANK, " ", re.sub(tokens.ZERO_WIDTH, "", plain))
    if plain != raw and raw[0] not in "\"'" and re.search("[\"']", plain):
        quote = "'" if '"' in plain else '"'
        plain = f"{quote}{plain}{quote}"
    suggestion = plain if plain != raw and _ODD.search(plain) is None else None
    message = f"U+{ord(odd[0]):04X} is an invisible or typographic character, and a part of the value"
    yield Notice("odd_character", message, value.position, value.end, suggestion)
