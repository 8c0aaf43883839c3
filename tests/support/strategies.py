"""Hypothesis strategies: mappings, documents for them, and queries that mean some of the documents.

Values of queries are mostly made from values of the documents, so that many queries find something, and only such
comparisons are made as the field's type allows: the translator takes every query of these.
"""

import json
import re
from dataclasses import dataclass
from functools import reduce
from typing import Any

from hypothesis import strategies as st

from tests.support.reference import Field, fields_of
from tests.unit.translator.generated import conjunction, disjunction, negation
from translator.format import format  # pylint: disable=redefined-builtin  # the language's own word for it
from translator.nodes import Comparison, Name, Node, Operator, Scope, Value, Wildcard
from translator.regex import has_white_space

_WORDS = [
    *["web01", "web02", "Web01", "WEB", "db-01", "or-gw01", "and", "a", "b", "ab", "abc", "abcd", "10", "true", ""],
    *[" web01", "web01 ", "a b", "a*b", "a?b", "a\\b", "\\", "*", "C:\\Temp\\x", "/etc/x", '"q"', "it's", "(x)", "{y}"],
    *[
        "é",
        "É",
        "e\u0301",
        "ß",
        "ς",
        "Σ",
        "İx",
        "ix",
        "日本",
        "😀",
        "😀a",
        "😀😀",
        "a\nb",
        "\u00a0",
        "x,y",
        "a=b",
        "~",
        "[a-c]",
    ],
]
_strings = st.one_of(st.sampled_from(_WORDS), st.text("abAB01-", min_size=1, max_size=4))
_sentences = st.lists(
    st.sampled_from(
        ["quick", "Quick", "brown", "fox", "FOX", "é", "ÉX", "ix", "x_y", "a.b", "it's", "1.5", "10", "日本", "😀"]
    ),
    max_size=4,
).flatmap(lambda words: st.sampled_from([" ", "-", ", ", "  "]).map(lambda between: between.join(words)))
_ADDRESSES = [
    *["10.1.2.3", "10.1.2.4", "10.1.3.0", "192.168.1.10", "0.0.0.0", "255.255.255.255"],
    *["::1", "::", "fe80::1", "FE80::2", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.1.2.3"],
]
_RANGES = {"byte": 7, "short": 15, "integer": 31, "long": 63}
# Moments on both sides of where hours, days, months and years end, and periods that end there.
_DATES = [
    *["2024-05-31T23:59:59.999Z", "2024-06-01T00:00:00.000Z", "2024-06-01T01:30:00+02:00", "2024-06", "2024-06-01"],
    *["2023-12-31T23:59:59.9Z", "2024", "2024-02-29T12:00:00Z", "2024-03-01", "2024-01-31", "2001-09-09T01:46:40Z"],
    *["1970-01-01T00:00:00.001Z", "2024-05-03T10:30:00.123456789Z", "2024-05-03T10:30:00.124Z", "2024-05-03T11:00:00Z"],
]
_PERIODS = [
    *["2024-05", "2024-05-31", "2024-05-31T23", "2024-05-31T23:59", "2024-05-31T23:59:59", "2024-05-31T23:59:59.9"],
    *["2023", "2024-02", "2024-05-03T10", "2024-05-03T10:30:00.123", "2024-05-31||/d", "2024-05||/M", "2023-07||/y"],
]
_LAST_NANOSECOND = "2262-04-11T23:47:16.854775807Z"
_NANOS = ["2024-05-31T23:59:59.999999999Z", "2024-05-31T23:59:59.999500Z", _LAST_NANOSECOND]
_FAR_DATES = ["0001-01-01", "1969-12-31T23:59:59.999Z", "1582-10-10", "9998-12-31", 253_402_300_800_000, -1, 0]

_KEYWORDS: list[dict[str, Any]] = [
    {},
    {"ignore_above": 3},
    {"index": False},
    {"doc_values": False},
    {"normalizer": "lowercase"},
]
_keywords = st.sampled_from(_KEYWORDS).map(lambda parameters: {"type": "keyword", **parameters})


def _typed(*kinds: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from([{"type": kind} for kind in kinds])


def _maybe_indexed(kinds: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda kind, parameters: {**kind, **parameters}, kinds, st.sampled_from([{}, {}, {"index": False}])
    )


def _with_keyword(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    return _keywords.map(lambda keyword: {"type": kind, "fields": {"keyword": keyword}})


_numbers = _maybe_indexed(_typed(*_RANGES, "half_float", "float", "double"))
_dates = _maybe_indexed(_typed("date", "date_nanos"))
_texts = st.booleans().map(lambda norms: {"type": "text", "norms": norms})
_files = st.fixed_dictionaries({"Path": _keywords, "Size": _typed("long")})
_software = st.fixed_dictionaries(
    {
        "Name": _keywords,
        "Port": _typed("integer"),
        "Released": _dates,
        "Files": _files.map(lambda properties: {"type": "nested", "properties": properties}),
    }
)

_properties = st.fixed_dictionaries(
    {
        "Name": st.one_of(_keywords, _keywords.map(lambda kind: {**kind, "fields": {"words": {"type": "text"}}})),
        "Notes": _texts,
        "Title": _with_keyword("text"),
        "Ip": st.one_of(_maybe_indexed(_typed("ip")), _with_keyword("ip")),
        "Count": _numbers,
        "Load": _numbers,
        "Seen": _dates,
        "Managed": _typed("boolean"),
        "Labels": st.sampled_from([{"type": "flattened"}, {"type": "flattened", "ignore_above": 3}]),
        "OS": st.fixed_dictionaries({"Type": _keywords, "Build": _typed("integer")}).map(lambda of: {"properties": of}),
        "Software": _software.map(lambda properties: {"type": "nested", "properties": properties}),
        "Other": st.sampled_from(["Name", "Title", "Title.keyword", "Ip", "Count", "Seen", "Labels", "OS.Type"]).map(
            lambda path: {"type": "alias", "path": path}
        ),
    }
)


@st.composite
def mappings(draw: st.DrawFn) -> dict[str, Any]:
    """Mappings of a few fields, so that documents and queries often meet in one."""
    properties = draw(_properties)
    names = draw(st.sets(st.sampled_from(sorted(properties)), min_size=1, max_size=4))
    target = properties["Other"]["path"].partition(".")[0]
    return {"properties": {name: properties[name] for name in properties if name in names | {target}}}


def documents(mapping: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Documents that an index of the mapping takes."""
    return _objects(mapping["properties"])


def _objects(properties: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = {name: _values(kind) for name, kind in properties.items() if kind.get("type") != "alias"}
    return st.fixed_dictionaries({}, optional=known)


def _values(parameters: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" in parameters:
        below = _objects(parameters["properties"])
        return st.one_of(below, st.lists(below, max_size=2))
    one = _scalars(parameters["type"])
    return st.one_of(one, one, st.lists(one, max_size=3), st.sampled_from([None, [], [None]]))


def _scalars(kind: str) -> st.SearchStrategy[Any]:  # pylint: disable=too-many-return-statements  # one a type
    if kind in ("keyword", "text"):
        return (
            st.one_of(_strings, _sentences) if kind == "text" else st.one_of(_strings, st.sampled_from([7, True, 1.5]))
        )
    if kind == "flattened":
        leaves = st.one_of(_strings, st.lists(_strings, max_size=2), st.sampled_from([1, 1.5, True, None]))
        inner = st.dictionaries(st.sampled_from(["name", "env"]), leaves, max_size=2)
        return st.dictionaries(
            st.sampled_from(["env", "ENV", "team", "team.name"]), st.one_of(leaves, inner), max_size=3
        )
    if kind in _RANGES:
        limit = 2 ** _RANGES[kind]
        return st.one_of(st.integers(-3, 6), st.sampled_from([-limit, limit - 1, 1 - limit, 5.7, "4"]))
    if kind in ("half_float", "float", "double"):
        exact = [0.5, 1.5, -2.25, 100, "3.5", 60_000.0, 0.1, -0.0, 0.0, 0]
        return st.sampled_from(exact if kind == "half_float" else [*exact, 1e10, -1e-3, 16_777_217.0])
    if kind in ("date", "date_nanos"):
        return st.sampled_from(
            [*_DATES, *_NANOS, 1_714_732_200_123] if kind == "date_nanos" else [*_DATES, *_FAR_DATES]
        )
    if kind == "ip":
        return st.sampled_from(_ADDRESSES)
    assert kind == "boolean"
    return st.sampled_from([True, False, "true", "false"])


@dataclass(frozen=True)
class Question:
    """A query as nodes, and whether the case of letters in its values counts."""

    tree: Node
    case_insensitive: bool

    def __repr__(self) -> str:
        return format(self.tree) + (" (in any letter case)" if self.case_insensitive else "")


@dataclass(frozen=True)
class World:
    """Indices of different mappings, the documents of each, and what they are asked together."""

    indices: list[tuple[dict[str, Any], list[dict[str, Any]]]]
    questions: list[Question]

    @property
    def mapping(self) -> dict[str, Any]:
        """That of the first index, by which the questions are made."""
        return self.indices[0][0]

    def __repr__(self) -> str:
        written = [
            json.dumps(part, ensure_ascii=False)
            for mapping, documents_of_it in self.indices
            for part in (mapping, *documents_of_it)
        ]
        return "\n".join(["", *written, *map(repr, self.questions)])


@st.composite
def worlds(draw: st.DrawFn, *, questions: int) -> World:
    """Two indices with some documents, and as many questions."""
    mapping = draw(mappings())
    other = draw(_varied(mapping))
    some = draw(st.lists(documents(mapping), min_size=2, max_size=4))
    others = draw(st.lists(documents(other), min_size=1, max_size=3))
    names = mapping["properties"]
    conflicting = {name for name, kind in other["properties"].items() if kind.get("type") != names[name].get("type")}
    asked = st.lists(
        _questions(mapping, [*some, *others], conflicting), min_size=questions, max_size=questions, unique_by=repr
    )
    return World([(mapping, some), (other, others)], draw(asked))


@st.composite
def _varied(draw: st.DrawFn, mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping that may lack a field of another, and has text with a sub-field for a keyword of that."""
    properties = dict(mapping["properties"])
    path = properties.get("Other", {}).get("path", "")
    # An alias that one index lacks has no sub-field: of text, only its words can be asked.
    kept = {path.partition(".")[0], *(("Other",) if path == "Title" else ())}
    lacking = draw(st.sampled_from(["", *sorted(properties.keys() - kept)]))
    properties.pop(lacking, None)
    if properties.get("Name", {}).get("type") == "keyword" and draw(st.booleans()):
        keyword = {name: value for name, value in properties["Name"].items() if name != "fields"}
        properties["Name"] = {"type": "text", "fields": {"keyword": keyword}}
    return {"properties": properties}


@st.composite
def _questions(draw: st.DrawFn, mapping: dict[str, Any], some: list[dict[str, Any]], conflicting: set[str]) -> Question:
    case_insensitive = draw(st.booleans())
    seen: dict[str, list[Any]] = {}
    for document in some:
        _see(document, "", seen)
    return Question(draw(_Queries(mapping, seen, case_insensitive, conflicting).trees(())), case_insensitive)


def _see(value: Any, path: str, seen: dict[str, list[Any]]) -> None:
    """Note all values by path, also those below a flattened field."""
    if isinstance(value, dict):
        for name, below in value.items():
            _see(below, f"{path}.{name}" if path else name, seen)
    elif isinstance(value, list):
        for item in value:
            _see(item, path, seen)
    elif value is not None:
        seen.setdefault(path, []).append(value)


_ORDER = [Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.BETWEEN]
_EXACT = [Operator.EQUAL, Operator.EQUAL, Operator.IN, Operator.EXISTS]
_PARTS = [Operator.CONTAINS, Operator.MATCHES]


class _Queries:
    """Strategies for queries over one mapping and the values that its documents have."""

    def __init__(
        self, mapping: dict[str, Any], seen: dict[str, list[Any]], case_insensitive: bool, conflicting: set[str]
    ) -> None:
        self.conflicting = conflicting
        self.fields = {found.path: found for found in fields_of(mapping["properties"])}
        self.seen = seen
        self.case_insensitive = case_insensitive

    def trees(self, within: tuple[str, ...]) -> st.SearchStrategy[Node]:
        """Queries whose names are relative to a nested object."""
        leaves: st.SearchStrategy[Node] = _comparisons(self, within)
        inner = [found for found in self.fields.values() if found.type == "nested" and found.nested[:-1] == within]
        if inner:
            leaves = st.one_of(leaves, leaves, leaves, st.sampled_from(inner).flatmap(self._scopes))

        def compound(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
            several = st.lists(children, min_size=2, max_size=3)
            return st.one_of(several.map(conjunction), several.map(disjunction), children.map(negation))

        return st.one_of(leaves, st.recursive(leaves, compound, max_leaves=4 - len(within)))

    def _scopes(self, nested: Field) -> st.SearchStrategy[Node]:
        name = Name(_relative(nested.path, nested.nested[:-1]))
        return self.trees(nested.nested).map(lambda child: Scope(name, child))

    def operands(self, found: Field, operator: Operator, seen: list[Any]) -> st.SearchStrategy[Value]:
        """Values for an operator of a field, mostly made of such that documents have."""
        whole = found.whole if found.type == "text" or operator in _PARTS else None
        kind = whole.type if whole else found.type
        known = _scalars("keyword" if kind == "flattened" else kind)
        likely = st.one_of(st.sampled_from(seen), st.sampled_from(seen), known) if seen else known
        if kind in ("keyword", "flattened", "text"):
            texts = likely.map(lambda value: str(value).lower() if isinstance(value, bool) else str(value))
            if operator is Operator.MATCHES:
                is_normalized = "normalizer" in (whole or found).parameters
                folds = self.case_insensitive or kind == "text" or is_normalized
                patterns = texts.flatmap(lambda text: _patterns(text, folds, is_normalized))
                if kind == "text":
                    patterns = patterns.filter(lambda pattern: not has_white_space(pattern))
                return patterns.map(lambda pattern: Value((pattern,)))
            if operator not in (Operator.EQUAL, Operator.IN, Operator.CONTAINS):
                return texts.map(_literal)
            wild = _prefixes if kind == "flattened" else _wild
            allowed = st.one_of(texts.map(_literal), texts.flatmap(_slices).map(_literal), texts.flatmap(wild))
            if kind == "text":
                allowed = allowed.filter(lambda value: value.text is not None or not _holds_white_space(value))
            if operator is Operator.IN:
                return st.one_of(*[allowed] * 7, st.just(Value((Wildcard.ANY,))))
            return allowed.filter(lambda value: not value.is_anything)
        return likely.flatmap(lambda value: _spelled(kind, value, operator)).map(_literal)


@st.composite
def _comparisons(draw: st.DrawFn, queries: _Queries, within: tuple[str, ...]) -> Node:
    inside = f"{within[-1]}." if within else ""
    choices = [found for found in queries.fields.values() if found.path.startswith(inside)]
    present = [found for found in choices if any(at.startswith(found.source) for at in queries.seen)]
    named = draw(st.sampled_from(present * 4 + choices))
    found = queries.fields[named.parameters["path"]] if named.type == "alias" else named
    path, source = named.path, found.source
    if found.type == "flattened":
        key = draw(st.sampled_from(["", ".env", ".ENV", ".team", ".team.name", ".none"]))
        path, source = f"{path}{key}", f"{source}{key}"
    elif draw(st.integers(0, 9)) == 9:
        path = path.swapcase()
    seen = [value for at, values in queries.seen.items() if at == source for value in values]
    if found.type == "flattened" and not seen:
        seen = [value for at, values in queries.seen.items() if at.startswith(found.source) for value in values]
    # Of what is a keyword in one index and text in another, nothing but its existence can be asked.
    operator = draw(st.sampled_from([Operator.EXISTS] if found.path in queries.conflicting else _operators(found)))
    if operator is Operator.EXISTS:
        return Comparison(Name(_relative(path, within)), operator, ())
    sizes = {Operator.BETWEEN: (2, 2), Operator.IN: (1, 4)}.get(operator, (1, 1))
    values = draw(st.lists(queries.operands(found, operator, seen), min_size=sizes[0], max_size=sizes[1]))
    return Comparison(Name(_relative(path, within)), operator, tuple(values))


def _relative(path: str, within: tuple[str, ...]) -> str:
    return path[len(within[-1]) + 1 :] if within else path


def _operators(found: Field) -> list[Operator]:
    parts = _PARTS if found.whole else []
    if found.type in ("object", "nested"):
        return [Operator.EXISTS]
    if found.type == "keyword":
        return [*_EXACT, *_ORDER, *_PARTS, *_PARTS]
    if found.type == "text":
        return [*_EXACT, *_PARTS, *(_ORDER if found.whole else [])]
    if found.type == "boolean":
        return _EXACT
    return [*_EXACT, *_ORDER, *parts]


def _holds_white_space(value: Value) -> bool:
    return any(isinstance(part, str) and re.search(r"\s", part) for part in value.parts)


def _literal(text: str) -> Value:
    return Value((text,) if text else ())


def _slices(text: str) -> st.SearchStrategy[str]:
    cuts = st.integers(0, len(text))
    return st.tuples(cuts, cuts, st.booleans()).map(
        lambda cut: (text.swapcase() if cut[2] else text)[min(cut[:2]) : max(cut[:2])]
    )


def _prefixes(text: str) -> st.SearchStrategy[Value]:
    return st.integers(0, len(text)).map(lambda cut: Value((text[:cut], Wildcard.ANY) if cut else (Wildcard.ANY,)))


def _wild(text: str) -> st.SearchStrategy[Value]:
    """A text of which pieces are replaced by wildcards."""

    def replaced(parts: tuple[str | Wildcard, ...], hole: tuple[int, int, Wildcard]) -> tuple[str | Wildcard, ...]:
        *before, last = parts
        if not isinstance(last, str):
            return parts
        start, length, wildcard = hole
        rest = (last[:start], wildcard, last[start + (1 if wildcard is Wildcard.ONE else length) :])
        return (*before, *(part for part in rest if part != ""))

    holes = st.tuples(st.integers(0, len(text)), st.integers(0, 3), st.sampled_from(Wildcard))
    return st.lists(holes, min_size=1, max_size=2).map(lambda some: Value(_merged(reduce(replaced, some, (text,)))))


def _merged(parts: tuple[str | Wildcard, ...]) -> tuple[str | Wildcard, ...]:
    """Without what the grammar would not make: empty text, and two `*` side by side."""
    pairs = zip(("", *parts), parts, strict=False)
    return tuple(part for before, part in pairs if part != "" and (before is not part or part is not Wildcard.ANY))


_SPECIAL = frozenset('.?+*|{}[]()"\\#@&<>~^$/')


@st.composite
def _patterns(draw: st.DrawFn, text: str, folds: bool, is_normalized: bool) -> str:
    """A regular expression that a part of the text matches, or one close to that."""

    def piece(letter: str) -> str:
        if folds and letter.lower() != letter.upper() and not letter.isascii():
            return "."
        literal = f"\\{letter}" if letter in _SPECIAL else letter
        choices = [literal, literal, literal, ".", f"[{literal}x]", f"{literal}+", f"({literal}|zz)", f"x?{literal}"]
        choices += ["[a-z0-9]", "[^a-c]", f"{literal}{{1,2}}", "\\w", "[\\d\\-]"]
        if not is_normalized:
            # A normalizer makes other escapes and ranges of these.
            choices += ["[A-F_-]", "[X-c]", "\\W", "\\S", "[^\\D]"]
        return draw(st.sampled_from(choices))

    def alternative() -> str:
        part = draw(_slices(text))[:6] or "a"
        start, end = draw(st.sampled_from([("", ""), ("^", ""), ("", "$"), ("^", "$")]))
        return start + "".join(piece(letter) for letter in part) + end

    return "|".join(alternative() for _ in range(draw(st.sampled_from([1, 1, 2]))))


def _spelled(kind: str, value: Any, operator: Operator) -> st.SearchStrategy[str]:
    """Ways to write a value that is no text."""
    if kind == "boolean":
        return st.just(str(value).lower())
    if kind == "ip":
        alone = st.sampled_from([str(value), str(value).upper()])
        if operator not in (Operator.EQUAL, Operator.IN) or str(value).startswith("::ffff:"):
            return alone
        return st.one_of(alone, st.integers(0, 128 if ":" in value else 32).map(lambda length: f"{value}/{length}"))
    if kind in _RANGES:
        limit = 2 ** _RANGES[kind]
        near = st.sampled_from([-1, 0, 0, 0, 1]).map(lambda step: max(-limit, min(limit - 1, int(float(value)) + step)))
        exact = st.just(int(value)) if isinstance(value, int | str) else near
        return st.one_of(exact, near if abs(float(value)) < 2**50 else exact).flatmap(
            lambda number: st.sampled_from([str(number), f"{number:+d}", f"{number:04d}"])
        )
    if kind in ("half_float", "float", "double"):
        number = float(value)
        return st.sampled_from([repr(number), f"{number:.20g}", f"{number:e}", f"{number:+}"])
    return _date_spelled(str(value), kind == "date_nanos") if isinstance(value, str) else _DATE_ANYWHERE


_MATH = [
    "",
    "+1M",
    "-1M",
    "+1d",
    "-36h",
    "+1y",
    "+1M-1d",
    "-7d/d",
    "/d",
    "/M",
    "/w",
    "/y",
    "/h",
    "+59s/m",
    "/s",
    "+1w/H",
]
_DATE_ANYWHERE = st.sampled_from([*_PERIODS, *_PERIODS, "now", "now-1d", "now-7d/d", "now+1M/M", "now/w", "now-10y/y"])


_ZONE = re.compile(r"(Z|(?<=:\d\d)[+-]\d\d:\d\d)$")


def _date_spelled(text: str, nanoseconds: bool) -> st.SearchStrategy[str]:
    if text[0] not in "12" or text < "1971":
        return _DATE_ANYWHERE if nanoseconds else st.one_of(st.just(text), _DATE_ANYWHERE)
    if text == _LAST_NANOSECOND:
        return st.just(text)
    local = _ZONE.sub("", text)
    cuts = [length for length in (4, 7, 10, 13, 16, 19, 21, 23, 26) if length < len(local)]
    whole = st.sampled_from([text, *(local[:length] for length in cuts)])
    zoned = whole.map(lambda date: f"{date}+05:30" if "T" in date and not _ZONE.search(date) else date)
    math = st.builds(lambda date, operations: f"{date}||{operations}", whole, st.sampled_from(_MATH[1:]))
    return st.one_of(whole, zoned, math, _DATE_ANYWHERE, _DATE_ANYWHERE)
