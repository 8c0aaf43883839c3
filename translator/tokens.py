"""The words of the language, as regular expressions, and how they are escaped.

Every repetition is possessive or over characters that what follows cannot start with, so that matching takes time in
proportion to the text, whatever the text is.
"""

import re

from translator.nodes import Wildcard

WORD_END = r"(?![\w@.\-])"
KEYWORDS = r"(?ai:AND|OR|NOT|IN|BETWEEN|EXISTS)"
DOUBLE_QUOTED = r'"(?>(?:[^"\\]|\\.)*)"'
SINGLE_QUOTED = r"'(?>(?:[^'\\]|\\.)*)'"
_NAME = rf"(?:[\w@\-]++|{DOUBLE_QUOTED}|{SINGLE_QUOTED})"
FIELD = rf"(?!{KEYWORDS}{WORD_END}){_NAME}(?>(?:\.{_NAME})*)"
_VALUE_END = r"""(?=[\s(){},"'=<>]|![=~]|\Z)"""
TYPOGRAPHIC_QUOTE = "[\u00ab\u00b4\u00bb\u2018-\u201f\u2032-\u2036\u2039\u203a\u301d-\u301f\uff02\uff07]"
"""Quotes that word processors make of straight ones; no bare value starts with one."""
ZERO_WIDTH = "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
"""Characters without a width: white space at the ends of a query and of bare values, text inside a value."""
BARE = rf"""(?!{KEYWORDS}{_VALUE_END}|{TYPOGRAPHIC_QUOTE})(?>(?:[^\s(){{}},"'=<>!\\]++|\\(?:.|\Z)|!(?![=~]))+)"""
VALUE = rf"(?:{BARE}|{DOUBLE_QUOTED}|{SINGLE_QUOTED})"
QUOTED = re.compile(rf"{DOUBLE_QUOTED}|{SINGLE_QUOTED}", re.DOTALL)
REGEX = r"/(?>(?:[^/\\]|\\.)+)/"
REGEX_END = r"(?=[\s)}]|\Z)"

_PLAIN_FIELD = re.compile(rf"(?!{KEYWORDS}\Z)[\w@\-]+(?:\.[\w@\-]+)*\Z")
_PLAIN_VALUE = re.compile(
    rf"""(?!{KEYWORDS}\Z|{TYPOGRAPHIC_QUOTE}|.*{ZERO_WIDTH})[^\s(){{}},"'=<>!\\*?/][^\s(){{}},"'=<>!\\*?]*\Z"""
)
_QUOTED_ESCAPE = {'"': re.compile(r'\\(["\\])'), "'": re.compile(r"\\(['\\])")}
_BARE_PART = re.compile(r"\\(.)|(\*)|(\?)", re.DOTALL)
_BARE_SPECIAL = re.compile(rf"""[\s(){{}},"'=<>!\\*?]|{ZERO_WIDTH}|\A{TYPOGRAPHIC_QUOTE}""")
_INVISIBLE = re.compile(ZERO_WIDTH)
# Text between quotes or slashes, and escaped characters, stay as they are.
_BLANKS = re.compile(
    rf"""
    {DOUBLE_QUOTED} | {SINGLE_QUOTED} | \\. | ~ (?:\s|{ZERO_WIDTH})*+ {REGEX}
    | (?P<before> (?: \A | (?<=[\s(){{}},"'=<>]) | (?<=[\s!]~) ) {ZERO_WIDTH}++ )
    | (?P<after> {ZERO_WIDTH}++ (?= [\s(){{}},"'=<>] | !?~ | != | \Z ) )
    """,
    re.VERBOSE | re.DOTALL,
)


def with_blanks(text: str) -> str:
    """A query with blanks for the characters without a width that count as white space; nothing moves."""
    if text.isascii() or _INVISIBLE.search(text) is None:
        return text
    return _BLANKS.sub(lambda found: " " * len(found[0]) if found["before"] or found["after"] else found[0], text)


def unquote(quoted: str) -> str:
    """The text of a quoted name or value: only its quote and the backslash are escaped in it."""
    text = quoted[1:-1]
    return _QUOTED_ESCAPE[quoted[0]].sub(r"\1", text) if "\\" in text else text


def field_path(written: str) -> str:
    """The path that a field means, its quoted names without their quotes."""
    if '"' in written or "'" in written:
        return QUOTED.sub(lambda name: unquote(name[0]), written)
    return written


def bare_parts(bare: str) -> tuple[str | Wildcard, ...]:
    """The parts of a bare value; runs of `*` mean what one means."""
    if "\\" not in bare and "?" not in bare:
        # Most values have no wildcard, or one at the end.
        first = bare.find("*")
        if first < 0:
            return (bare,)
        if 0 < first == len(bare) - 1:
            return (bare[:-1], Wildcard.ANY)
    parts: list[str | Wildcard] = []
    literal = ""
    done = 0
    for match in _BARE_PART.finditer(bare):
        escaped, any_run, _ = match.groups()
        literal += bare[done : match.start()]
        done = match.end()
        if escaped is not None:
            literal += match[0] if escaped.isalnum() else escaped
            continue
        if literal:
            parts.append(literal)
            literal = ""
        wildcard = Wildcard.ANY if any_run else Wildcard.ONE
        if wildcard is Wildcard.ONE or not parts or parts[-1] is not Wildcard.ANY:
            parts.append(wildcard)
    literal += bare[done:]
    if literal:
        parts.append(literal)
    return tuple(parts)


WORD_BEFORE = re.compile(r"""(?:\A|(?<=[\s(){},"'=<>!~]))[^\s(){},"'=<>!~]*+\Z""")
"""The unquoted word that a text ends with."""


def write_field(path: str) -> str:
    """A field as it is written in a query."""
    return path if _PLAIN_FIELD.match(path) else _quote(path)


def write_value(parts: tuple[str | Wildcard, ...]) -> str:
    """A value as it is written in a query: bare where that reads well or wildcards ask for it, else quoted."""
    if not parts:
        return '""'
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0] if _PLAIN_VALUE.match(parts[0]) else _quote(parts[0])
    bare = "".join([_BARE_SPECIAL.sub(_escape, part) if isinstance(part, str) else part.value for part in parts])
    return f"\\{bare}" if bare.startswith("/") else bare


def _escape(special: re.Match[str]) -> str:
    return f"\\{special[0]}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
