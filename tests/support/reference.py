"""A reference evaluator: what a query means for one document, without Elasticsearch.

It is written from the description of the language alone and never sees the query that is sent to Elasticsearch, so it
can be held against what the server really finds. It is slow and short on purpose, and takes only queries that the
translator accepts; dates near the end of the calendar are beyond it.
"""

import ipaddress
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from translator.nodes import And, Comparison, Everything, Name, Node, Not, Operator, Or, Query, Scope, Value, Wildcard
from translator.regex import has_white_space
from translator.words import are_several

_OBJECTS = ("object", "nested")
_STRINGS = ("keyword", "flattened")
_INTEGERS = ("byte", "short", "integer", "long")
_FLOATS = ("half_float", "float", "double")


@dataclass(frozen=True)
class Field:
    """A field of a mapping, or a key below a flattened one."""

    path: str
    type: str
    parameters: dict[str, Any]
    nested: tuple[str, ...]
    source: str
    """Where its values stand in a document: a sub-field has its parent's, a key below a flattened field the root's."""
    key: str | None = None
    whole: "Field | None" = None
    """The keyword sub-field of a text or ip field."""


@dataclass
class _Object:
    """One nested object, or all of a document that is in no such object."""

    values: dict[str, list[Any]] = field(default_factory=dict)
    nested: list[tuple[str, "_Object"]] = field(default_factory=list)


class Reference:  # pylint: disable=too-few-public-methods  # one question is all that it is asked
    """Decides which documents a query means.

    Args:
        mapping: the index's, with its `properties`.
        now: the moment that `now` stands for in date math.
        case_insensitive: whether the case of letters in values of string fields does not count.
        is_one_of_several: whether other indices are searched too, so that this one may lack a field.
    """

    def __init__(
        self,
        mapping: dict[str, Any],
        *,
        now: datetime,
        case_insensitive: bool = False,
        is_one_of_several: bool = False,
    ) -> None:
        self._is_one_of_several = is_one_of_several
        self._properties = mapping["properties"]
        self._now = now
        self._case_insensitive = case_insensitive
        self._fields = {found.path: found for found in fields_of(self._properties)}
        for path, alias in list(self._fields.items()):
            if alias.type == "alias":
                self._fields[path] = self._fields[alias.parameters["path"]]

    def matches(self, query: Query, document: dict[str, Any]) -> bool:
        """Whether the document is what the query asks for."""
        if isinstance(query, Everything):
            return True
        root = _Object()
        _collect(document, self._properties, "", root)
        return self._holds(query, root, ())

    def _holds(self, node: Node, here: _Object, within: tuple[str, ...]) -> bool:
        if isinstance(node, And):
            return all(self._holds(child, here, within) for child in node.children)
        if isinstance(node, Or):
            return any(self._holds(child, here, within) for child in node.children)
        if isinstance(node, Not):
            return not self._holds(node.child, here, within)
        try:
            found = self._resolve(node.name, within)
        except LookupError:
            if self._is_one_of_several:
                return False
            raise
        objects = _below(here, found.nested[len(within) :])
        if isinstance(node, Scope):
            return any(self._holds(node.child, below, found.nested) for below in objects)
        return any(self._compares(node, found, below) for below in objects)

    def _resolve(self, name: Name, within: tuple[str, ...]) -> Field:
        path = f"{within[-1]}.{name.path}" if within else name.path
        if path in self._fields:
            return self._fields[path]
        in_other_case = [found for known, found in self._fields.items() if known.casefold() == path.casefold()]
        if len(in_other_case) == 1:
            return in_other_case[0]
        for known, root in self._fields.items():
            if root.type == "flattened" and path.casefold().startswith(f"{known.casefold()}."):
                return Field(path, root.type, root.parameters, root.nested, root.source, path[len(known) + 1 :])
        raise LookupError(path)

    def _compares(self, comparison: Comparison, found: Field, here: _Object) -> bool:
        operator, values = comparison.operator, comparison.values
        if operator is Operator.EXISTS:
            return self._exists(found, here)
        if operator is Operator.IN and any(value.is_anything for value in values):
            return self._exists(found, here)
        words = found if found.type == "text" and operator in (Operator.CONTAINS, Operator.MATCHES) else None
        if found.whole and (found.type == "text" or operator in (Operator.CONTAINS, Operator.MATCHES)):
            found = found.whole
        test: Callable[[Any], bool]
        if found.type == "text":
            return any(_text_test(operator, values)(_tokens(text)) for text in _strings(found, here))
        if found.type in _STRINGS:
            test = self._string_test(operator, values, found)
            # Elasticsearch keeps a flattened field's key and value as one term.
            folds_key = self._case_insensitive and operator in (Operator.EQUAL, Operator.IN)
            indexed = list(_strings(found, here, folds_key=folds_key))
            if words is not None and not indexed and not _needs_several_words(operator, values[0]):
                # Too long for the sub-field of whole values: its words are left.
                return any(_text_test(operator, values)(_tokens(text)) for text in _strings(words, here))
            return any(test(text) for text in indexed)
        stored = here.values.get(found.source, [])
        intervals = [self._interval(found, value) for value in values]
        test = _interval_test(operator, intervals)
        return any(test(_stored(found, value)) for value in stored)

    def _exists(self, found: Field, here: _Object) -> bool:
        if found.type in _OBJECTS:
            parts = [part for path, part in self._fields.items() if path.startswith(f"{found.path}.")]
            return any(
                self._exists(part, below)
                for part in parts
                if part.type not in _OBJECTS
                for below in _below(here, part.nested[len(found.nested) :])
            )
        if found.type in (*_STRINGS, "text"):
            return any(True for _ in _strings(found, here))
        return bool(here.values.get(found.source))

    def _string_test(self, operator: Operator, values: tuple[Value, ...], found: Field) -> Callable[[str], bool]:
        normal = _lower if "normalizer" in found.parameters else _same
        if operator in (Operator.EQUAL, Operator.IN):
            patterns = [_wildcards(value.parts, normal) for value in values]
        elif operator is Operator.CONTAINS:
            patterns = [_wildcards((Wildcard.ANY, *values[0].parts, Wildcard.ANY), normal)]
        elif operator is Operator.MATCHES:
            patterns = [_python_regex(_ESCAPED.sub(lambda found: found[1] or normal(found[0]), values[0].text or ""))]
        else:
            return _interval_test(operator, [(normal(value.text or ""), None) for value in values])
        flags = re.DOTALL | re.ASCII | (re.IGNORECASE if self._case_insensitive else 0)
        compiled = [re.compile(pattern, flags) for pattern in patterns]
        return lambda text: any(pattern.search(text) for pattern in compiled)

    def _interval(self, found: Field, value: Value) -> tuple[Any, Any]:
        """The first value that is meant, and the first behind those; None behind one value alone."""
        text = value.text or ""
        if found.type == "ip":
            return _block(text)
        if found.type in _INTEGERS:
            return int(text), None
        if found.type in _FLOATS:
            return _rounded(float(text), found.type), None
        if found.type == "boolean":
            return text == "true", None
        if found.type in ("date", "date_nanos"):
            return _period(text, 1 if found.type == "date_nanos" else _MILLI, self._now)
        raise AssertionError(found.type)


def fields_of(properties: dict[str, Any], prefix: str = "", nested: tuple[str, ...] = ()) -> Iterator[Field]:
    """All fields below an object, objects and sub-fields among them."""
    for name, parameters in properties.items():
        path = prefix + name
        kind = parameters.get("type", "object")
        around = (*nested, path) if kind == "nested" else nested
        sub_fields = [
            Field(f"{path}.{sub}", below["type"], below, nested, path)
            for sub, below in parameters.get("fields", {}).items()
        ]
        whole = next((sub for sub in sub_fields if sub.type == "keyword"), None)
        yield Field(path, kind, parameters, around, path, whole=whole if kind in ("text", "ip") else None)
        yield from sub_fields
        yield from fields_of(parameters.get("properties", {}), f"{path}.", around)


def _collect(document: dict[str, Any], properties: dict[str, Any], prefix: str, here: _Object) -> None:
    """Sort a document's values by the objects and fields that they belong to."""
    for name, value in document.items():
        head, _, tail = name.partition(".")
        if name not in properties and tail:
            _collect({head: {tail: value}}, properties, prefix, here)
            continue
        parameters, path = properties[name], prefix + name
        for item in _items(value):
            if parameters.get("type") == "nested":
                inner = _Object()
                here.nested.append((path, inner))
                _collect(item, parameters["properties"], f"{path}.", inner)
            elif "properties" in parameters:
                _collect(item, parameters["properties"], f"{path}.", here)
            else:
                here.values.setdefault(path, []).append(item)


def _items(value: Any) -> Iterator[Any]:
    """An array means its members, in arrays in it too; null means nothing."""
    if isinstance(value, list):
        for item in value:
            yield from _items(item)
    elif value is not None:
        yield value


def _below(here: _Object, paths: tuple[str, ...]) -> list[_Object]:
    objects = [here]
    for path in paths:
        objects = [inner for outer in objects for at, inner in outer.nested if at == path]
    return objects


def _same(text: str) -> str:
    return text


def _lower(text: str) -> str:
    # Letter by letter, as Java and Lucene do: no final sigma, and one letter for U+0130.
    return "".join(letter.lower()[0] for letter in text)


def _ascii_lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _strings(found: Field, here: _Object, *, folds_key: bool = False) -> Iterator[str]:
    """The texts of a string field that are indexed."""
    values = here.values.get(found.source, [])
    if found.type == "flattened":
        folded = _ascii_lower if folds_key else _same
        leaves = [leaf for value in values for leaf in _leaves(value, "")]
        values = [text for key, text in leaves if found.key is None or folded(key) == folded(found.key)]
    limit = found.parameters.get("ignore_above", 2**31)
    for value in values:
        text = _written(value)
        # Java counts UTF-16 code units.
        if len(text.encode("utf-16-le")) // 2 <= limit:
            yield _lower(text) if "normalizer" in found.parameters else text


def _leaves(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, below in value.items():
        for item in _items(below):
            if isinstance(item, dict):
                yield from _leaves(item, f"{prefix}{name}.")
            else:
                yield prefix + name, item


_WORD = re.compile(
    # An ideograph is a word, and so is an emoji; others are runs of letters and digits, with what may stand inside.
    r"[\u4e00-\u9fff\U0001f600-\U0001f64f]|"
    r"(?:(?![\u4e00-\u9fff])[\w\u0300-\u036f]|(?<=[^\W\d_])[.':](?=[^\W\d_])|(?<=\d)[.',;](?=\d))+"
)


def _tokens(text: str) -> list[str]:
    """The words of a text as the standard analyzer finds them (UAX #29), for the scripts that the tests use."""
    return [_lower(word) for word in _WORD.findall(text) if word.strip("_")]


def _needs_several_words(operator: Operator, value: Value) -> bool:
    """Whether a pattern holds white space, which no single word does."""
    if operator is Operator.MATCHES:
        return has_white_space(value.text or "")
    return value.text is None and any(isinstance(part, str) and re.search(r"\s", part) for part in value.parts)


def _text_test(operator: Operator, values: tuple[Value, ...]) -> Callable[[list[str]], bool]:
    def anywhere(pattern: str) -> Callable[[list[str]], bool]:
        compiled = re.compile(pattern, re.DOTALL | re.IGNORECASE | re.ASCII)
        return lambda tokens: any(compiled.search(token) for token in tokens)

    def phrase(words: list[str]) -> Callable[[list[str]], bool]:
        starts = range if words else lambda _: ()
        return lambda tokens: any(tokens[at : at + len(words)] == words for at in starts(len(tokens)))

    if operator is Operator.MATCHES:
        return anywhere(_python_regex(values[0].text or ""))
    if operator is Operator.CONTAINS and values[0].text is not None and are_several(values[0].text):
        return phrase(_tokens(values[0].text))
    if operator is Operator.CONTAINS:
        return anywhere(_wildcards((Wildcard.ANY, *values[0].parts, Wildcard.ANY), _lower))
    tests = [
        phrase(_tokens(value.text)) if value.text is not None else anywhere(_wildcards(value.parts, _lower))
        for value in values
    ]
    return lambda tokens: any(test(tokens) for test in tests)


def _wildcards(parts: Iterable[str | Wildcard], normal: Callable[[str], str]) -> str:
    pieces = {Wildcard.ANY: ".*", Wildcard.ONE: "."}
    inner = "".join(re.escape(normal(part)) if isinstance(part, str) else pieces[part] for part in parts)
    return rf"\A(?:{inner})\Z"


_ESCAPED = re.compile(r"(\\.)|[^\\]", re.DOTALL)
_REGEX_TOKEN = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])+\]|.", re.DOTALL)
_CLASS_TOKEN = re.compile(r"(\\.)|[\[&~|]", re.DOTALL)
_ANCHORS = {"^": r"\A", "$": r"\Z"}


def _python_regex(pattern: str) -> str:
    def translated(token: str) -> str:
        if len(token) > 2 and token[0] == "[":
            opening = "[^" if token[1] == "^" else "["
            # Python keeps these for operations on sets.
            members = _CLASS_TOKEN.sub(lambda found: found[1] or f"\\{found[0]}", token[len(opening) : -1])
            return f"{opening}{members}]"
        return _ANCHORS.get(token, token)

    return "".join(translated(token) for token in _REGEX_TOKEN.findall(pattern))


def _interval_test(operator: Operator, intervals: list[tuple[Any, Any]]) -> Callable[[Any], bool]:
    """Compare with all that a value stands for: `<` is before all of it, `<=` not behind it."""

    def is_before(value: Any, interval: tuple[Any, Any]) -> bool:
        return bool(value < interval[0])

    def is_behind(value: Any, interval: tuple[Any, Any]) -> bool:
        start, after = interval
        return bool(value > start) if after is None else bool(value >= after)

    first, last = intervals[0], intervals[-1]
    if operator is Operator.LESS:
        return lambda value: is_before(value, first)
    if operator is Operator.LESS_OR_EQUAL:
        return lambda value: not is_behind(value, first)
    if operator is Operator.GREATER:
        return lambda value: is_behind(value, first)
    if operator is Operator.GREATER_OR_EQUAL:
        return lambda value: not is_before(value, first)
    if operator is Operator.BETWEEN:
        return lambda value: not is_before(value, first) and not is_behind(value, last)
    return lambda value: any(not is_before(value, each) and not is_behind(value, each) for each in intervals)


def _stored(found: Field, value: Any) -> Any:
    """One value of a document as its type keeps it."""
    if found.type == "ip":
        return _address(value)
    if found.type in _INTEGERS:
        return int(float(value)) if isinstance(value, float) else int(value)
    if found.type in _FLOATS:
        return _rounded(float(value), found.type)
    if found.type == "boolean":
        return value in (True, "true")
    if isinstance(value, int):
        return value * _MILLI
    return _period(value, 1 if found.type == "date_nanos" else _MILLI, _EPOCH)[0]


def _rounded(number: float, kind: str) -> float:
    letter = {"half_float": "e", "float": "f", "double": "d"}[kind]
    rounded: float = struct.unpack(letter, struct.pack(letter, number))[0]
    return rounded


def _address(text: str) -> int:
    """Addresses in one order: IPv4 stands among IPv6 as ::ffff:0:0/96."""
    address = ipaddress.ip_address(text)
    return int(address) if address.version == 6 else int(address) | 0xFFFF << 32


def _block(text: str) -> tuple[int, int | None]:
    address, slash, length = text.partition("/")
    if not slash:
        return _address(address), None
    size = 1 << ((128 if ":" in address else 32) - int(length))
    start = _address(address) // size * size
    return start, start + size


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLI = 1_000_000
_NANOS = 1_000_000_000
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?(Z|[+-]\d\d:?(?:\d\d)?)?)?)?)?"
)
_UNITS = {"h": "hours", "H": "hours", "m": "minutes", "s": "seconds", "d": "days", "w": "weeks"}


def _period(text: str, resolution: int, now: datetime) -> tuple[int, int]:
    """A date, or date math, as the nanoseconds since 1970 that it stands for: the first, and the first behind them."""
    anchor, bars, math = text.partition("||")
    if not bars and text.startswith("now"):
        anchor, math = "", text[3:]
    elif not bars:
        return _span(text, resolution)
    start = _span(anchor, resolution)[0] if anchor else _nanoseconds(now)
    after = start + resolution
    for sign, number, unit in re.findall(r"([+/-])(\d*)(.)", math):
        if sign == "/":
            moment = _floor(_moment(start), unit)
            start, after = _nanoseconds(moment), _nanoseconds(_moved(moment, unit, 1))
        else:
            rest = start % _NANOS
            start = _nanoseconds(_moved(_moment(start), unit, int(sign + number))) // _NANOS * _NANOS + rest
            after = start + resolution
    return start, after


def _span(text: str, resolution: int) -> tuple[int, int]:
    match = _DATE.fullmatch(text)
    assert match, text
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    start = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
    at = _nanoseconds(start.replace(tzinfo=UTC) - _offset(zone or "Z"))
    if fraction:
        length = max(resolution, 10 ** (9 - len(fraction)))
        at += int(fraction.ljust(9, "0")) // length * length
        return at, at + length
    given = [unit for unit, part in zip("yMdhms", (year, month, day, hour, minute, second), strict=True) if part]
    return at, _nanoseconds(_moved(_moment(at), given[-1], 1))


def _offset(zone: str) -> timedelta:
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=nanoseconds // _NANOS)


def _moved(moment: datetime, unit: str, count: int) -> datetime:
    if unit in _UNITS:
        return moment + timedelta(**{_UNITS[unit]: count})
    months = moment.year * 12 + moment.month - 1 + (count if unit == "M" else 12 * count)
    first = moment.replace(year=months // 12, month=months % 12 + 1, day=1)
    # The 31st of a month of 30 days is its 30th.
    following = (first + timedelta(days=31)).replace(day=1)
    return first.replace(day=min(moment.day, (following - first).days))


def _floor(moment: datetime, unit: str) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    floors = {
        "y": lambda: day.replace(month=1, day=1),
        "M": lambda: day.replace(day=1),
        "w": lambda: day - timedelta(days=day.weekday()),
        "d": lambda: day,
        "h": lambda: moment.replace(minute=0, second=0, microsecond=0),
        "m": lambda: moment.replace(second=0, microsecond=0),
        "s": lambda: moment.replace(microsecond=0),
    }
    return floors["h" if unit == "H" else unit]()
