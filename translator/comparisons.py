"""Comparisons: the Elasticsearch query of one comparison, by its field's mapping type.

Every function here returns alternatives: a document matches where any of the queries does.
"""

import re
import socket
import struct
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

from translator import dates, words
from translator.catalogue import FAMILIES, Family, Field
from translator.errors import TooComplex, TypeMismatch, UnsupportedOperator, quoted, shown
from translator.limits import MAX_CLAUSES, MAX_TERM_BYTES, MAX_WILDCARD
from translator.nodes import Comparison, Operator, Value, Wildcard
from translator.regex import has_white_space, to_lucene

Query: TypeAlias = dict[str, Any]
"""One Elasticsearch query, of which the key is the name."""

_BOUNDS = {
    Operator.LESS: "lt",
    Operator.LESS_OR_EQUAL: "lte",
    Operator.GREATER: "gt",
    Operator.GREATER_OR_EQUAL: "gte",
}
_BOOLEANS = {"true": True, "false": False}
_WHITE_SPACE = re.compile(r"\s")
_PATTERN_SPECIAL = re.compile(r"[*?\\]")
_RANGE = re.compile(r"([^.]+(?:\.[^.]+)*)\.{2,3}([^.]+(?:\.[^.]+)*)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?")
_IPV4_MAPPED = b"\0" * 10 + b"\xff\xff"
_INTEGER_RANGES = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
    "unsigned_long": (0, 2**64 - 1),
}
# Elasticsearch keeps -0.0 before 0.0; to people they are one number.
_ZEROS = {"gte": -0.0, "gt": 0.0, "lte": 0.0, "lt": -0.0}
_FLOAT_MAXIMA = {"half_float": 65_504.0, "float": 3.4028234663852886e38}
_LARGEST_FLOAT = 1.7976931348623157e308


class _Type:
    """Comparisons of a family of types. It allows the methods that it overrides; the rest is refused with `hint`."""

    hint: ClassVar[str]

    def term(self, field: Field, value: Value) -> object:
        """The value as Elasticsearch has it."""
        raise NotImplementedError

    def equal(self, field: Field, value: Value) -> Query:
        """`=` with one value."""
        if value.text is None:
            raise self._refusal(field, "wildcards", value)
        return {"term": {field.path: self.term(field, value)}}

    def member_of(self, field: Field, comparison: Comparison) -> list[Query]:
        """`IN` with literal values as one query, and one more for each value with wildcards."""
        terms = dict.fromkeys(self.term(field, value) for value in comparison.values if value.text is not None)
        queries: list[Query] = []
        if len(terms) == 1:
            queries.append({"term": {field.path: next(iter(terms))}})
        elif terms:
            queries.append({"terms": {field.path: list(terms)}})
        queries += self.one_each(field, comparison, [value for value in comparison.values if value.text is None])
        return queries

    def one_each(self, field: Field, comparison: Comparison, values: Iterable[Value]) -> list[Query]:
        """A query for each different value, where no query takes several."""
        different = dict.fromkeys(values)
        if len(different) > MAX_CLAUSES:
            raise too_many_clauses(comparison)
        return [self.equal(field, value) for value in different]

    def within(self, field: Field, bounds: dict[str, Value]) -> Query:
        """A range; the keys of the bounds are Elasticsearch's."""
        return {"range": {field.path: {key: self.bound(field, value) for key, value in bounds.items()}}}

    def bound(self, field: Field, value: Value) -> object:
        """The end of a range."""
        return self.term(field, value)

    def contains(self, field: Field, comparison: Comparison) -> Query:
        """`~` with a value."""
        raise self._refusal(field, "~", comparison)

    def matches(self, field: Field, comparison: Comparison) -> Query:
        """`~` with a regular expression."""
        raise self._refusal(field, "~", comparison)

    def _refusal(self, field: Field, what: str, where: Comparison | Value) -> UnsupportedOperator:
        message = f"{quoted(field.path)} is of type {field.type}, which has no {what}; {self.hint}"
        return UnsupportedOperator(message, where.position, where.end)


class _String(_Type):
    """Whole values: keyword, constant_keyword, wildcard, version."""

    hint = "use = with a whole value"

    def __init__(self, case_insensitive: bool) -> None:
        self.flag: Query = {"case_insensitive": True} if case_insensitive else {}

    def term(self, field: Field, value: Value) -> str:
        text = value.text or ""
        # Most texts are short enough however many bytes a character has.
        if len(text) > MAX_TERM_BYTES // 4 and len(text.encode(errors="surrogatepass")) > MAX_TERM_BYTES:
            message = f"a value has at most {MAX_TERM_BYTES:,} bytes in UTF-8"
            raise TooComplex(message, value.position, value.end)
        return text

    def equal(self, field: Field, value: Value) -> Query:
        if value.text is not None:
            term = self.term(field, value)
            if self._folds_too_much(term):
                return _with_flags("wildcard", field, _escaped(term), self.flag)
            return _with_flags("term", field, term, self.flag)
        prefix = _prefix(value)
        if prefix is not None and not self._folds_too_much(prefix):
            return _with_flags("prefix", field, prefix, self.flag)
        return _with_flags("wildcard", field, _pattern(value.parts, value), self.flag)

    def _folds_too_much(self, text: str) -> bool:
        """Whether `term` and `prefix` may ignore the case of more than ASCII letters.

        They do in a field that is not indexed, whose values Elasticsearch reads from its columns; `wildcard` does not.
        """
        return bool(self.flag) and not text.isascii()

    def member_of(self, field: Field, comparison: Comparison) -> list[Query]:
        if not self.flag:
            return super().member_of(field, comparison)
        # `terms` has no case_insensitive.
        return self.one_each(field, comparison, comparison.values)

    def contains(self, field: Field, comparison: Comparison) -> Query:
        value = comparison.values[0]
        parts = (Wildcard.ANY, *value.parts, Wildcard.ANY) if value.parts else (Wildcard.ANY,)
        return _with_flags("wildcard", field, _pattern(parts, value), self.flag)

    def matches(self, field: Field, comparison: Comparison) -> Query:
        value = comparison.values[0]
        return _with_flags(
            "regexp",
            field,
            to_lucene(value.text or "", value.position + 1, any_case=bool(self.flag)),
            {"flags": "NONE", **self.flag},
        )


class _Flattened(_String):
    """Leaves of a flattened object, which Elasticsearch searches by whole value and by prefix alone."""

    hint = "use = with a whole value, or with one * at its end"

    def equal(self, field: Field, value: Value) -> Query:
        if value.text is None and _prefix(value) is None:
            raise self._refusal(field, "wildcards but one * at the end", value)
        return super().equal(field, value)

    def _folds_too_much(self, text: str) -> bool:
        # It is always indexed.
        return False

    def contains(self, field: Field, comparison: Comparison) -> Query:
        raise self._refusal(field, "~", comparison)

    def matches(self, field: Field, comparison: Comparison) -> Query:
        raise self._refusal(field, "~", comparison)


class _Text(_String):
    """Analysed text without a sub-field of the whole value: its words are what is compared."""

    hint = "use = with words of it, or ~"

    def __init__(self) -> None:
        super().__init__(case_insensitive=True)

    def equal(self, field: Field, value: Value) -> Query:
        if value.text is not None:
            return {"match_phrase": {field.path: value.text}}
        self._check_one_word(field, value, "a value with wildcards")
        return _with_flags("wildcard", field, _pattern(_lower(value).parts, value), self.flag)

    def contains(self, field: Field, comparison: Comparison) -> Query:
        value = comparison.values[0]
        if value.text is None:
            self._check_one_word(field, value, "a value with wildcards")
        elif words.are_several(value.text):
            # No word holds them all.
            return {"match_phrase": {field.path: self.term(field, value)}}
        return super().contains(field, replace(comparison, values=(_lower(value),)))

    def matches(self, field: Field, comparison: Comparison) -> Query:
        value = comparison.values[0]
        if has_white_space(value.text or ""):
            raise self._one_word(field, value, "a regular expression")
        return super().matches(field, comparison)

    def within(self, field: Field, bounds: dict[str, Value]) -> Query:
        value = next(iter(bounds.values()))
        raise self._refusal(field, "order", value)

    def _check_one_word(self, field: Field, value: Value, what: str) -> None:
        if _holds_white_space(value):
            raise self._one_word(field, value, what)

    def _one_word(self, field: Field, value: Value, what: str) -> UnsupportedOperator:
        message = (
            f"{quoted(field.path)} is of type {field.type}, in which {what} looks at one word, and no word holds white "
            "space; quote several words after ~ without wildcards, or join comparisons of one word each with AND"
        )
        return UnsupportedOperator(message, value.position, value.end)


def _holds_white_space(value: Value) -> bool:
    return any(isinstance(part, str) and _WHITE_SPACE.search(part) for part in value.parts)


def _lower(value: Value) -> Value:
    """A value as the words of an analysed text are; the flag ignores the case of ASCII letters alone."""
    # Letter by letter, as Lucene does: U+0130 becomes one letter.
    parts = ("".join(letter.lower()[0] for letter in part) if isinstance(part, str) else part for part in value.parts)
    return replace(value, parts=tuple(parts))


class _Ip(_Type):
    hint = "compare with an address, or a block such as 10.0.0.0/8"

    def term(self, field: Field, value: Value) -> object:
        text = value.text or ""
        address, slash, length = text.partition("/")
        packed = _packed(address)
        if packed is None or (slash and not (length.isdecimal() and len(length) <= 3 and length.isascii())):
            message = f"{quoted(text)} is no IP address; {self.hint}{_hint(field, text)}"
            raise TypeMismatch(message, value.position, value.end)
        if slash:
            bits = 8 * len(packed)
            if int(length) > bits:
                message = f"{quoted(text)} is no block of addresses; its length is 0 to {bits}"
                raise TypeMismatch(message, value.position, value.end)
            if packed.startswith(_IPV4_MAPPED) and bits == 128:
                message = f"{quoted(text)} is a block of IPv4 addresses written as IPv6; write it as IPv4"
                raise TypeMismatch(message, value.position, value.end)
        return text

    def bound(self, field: Field, value: Value) -> object:
        text = value.text or ""
        if _packed(text) is None:
            message = f"{quoted(text)} is no single IP address, which a range needs; a block goes with = alone"
            raise TypeMismatch(message, value.position, value.end)
        return text


_MINUSES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2212")


def _packed(address: str) -> bytes | None:
    """Return the bytes of an IP address; None for any other text."""
    try:
        # Three times as fast as `ipaddress`, and as strict: no zeros in front, no zone.
        return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        return None


def _hint(field: Field, text: str) -> str:
    """The hint for a value that people write by habit: two with dots between them, null, what is not plain ASCII."""
    if ends := _RANGE.fullmatch(text):
        return f"; a range is {field.path} BETWEEN {shown(ends[1])} AND {shown(ends[2])}"
    if text.casefold() in ("null", "none", "nil"):
        return f"; {field.path} NOT EXISTS asks for missing values"
    if text.endswith(";"):
        return "; a query needs no semicolon"
    return "; write - for the minus" if text[:1] in _MINUSES else ""


class _Number(_Type):
    hint = "use =, <, > or BETWEEN"


class _Integer(_Number):
    def term(self, field: Field, value: Value) -> object:
        text = value.text or ""
        if _INTEGER.fullmatch(text) is None:
            message = f"{quoted(text)} is no whole number, which {quoted(field.path)} ({field.type}) needs"
            message += _hint(field, text)
            raise TypeMismatch(message, value.position, value.end)
        number = int(text)
        ranges = [_INTEGER_RANGES[kind] for kind in field.types]
        # Of several indices, it has to fit each.
        low, high = max(first for first, _ in ranges), min(last for _, last in ranges)
        if not low <= number <= high:
            message = f"{quoted(text)} is outside {low} to {high}, the range of {quoted(field.path)} ({field.type})"
            raise TypeMismatch(message, value.position, value.end)
        return number


class _Float(_Number):
    def term(self, field: Field, value: Value) -> object:
        text = value.text or ""
        if _DECIMAL.fullmatch(text) is None:
            message = f"{quoted(text)} is no number, which {quoted(field.path)} ({field.type}) needs"
            message += _hint(field, text)
            raise TypeMismatch(message, value.position, value.end)
        number = float(text)
        limit = min(_FLOAT_MAXIMA.get(kind, _LARGEST_FLOAT) for kind in field.types)
        if not -limit <= number <= limit:
            message = f"{quoted(text)} is outside -{limit} to {limit}, the range of {quoted(field.path)} ({field.type})"
            raise TypeMismatch(message, value.position, value.end)
        if field.types == ("half_float",):
            # Elasticsearch rounds values of documents and terms, but not the ends of ranges.
            rounded: float = struct.unpack("e", struct.pack("e", number))[0]
            return rounded
        return number

    def equal(self, field: Field, value: Value) -> Query:
        if value.text is not None and not self.term(field, value):
            return {"range": {field.path: {"gte": _ZEROS["gte"], "lte": _ZEROS["lte"]}}}
        return super().equal(field, value)

    def member_of(self, field: Field, comparison: Comparison) -> list[Query]:
        zeros = [value for value in comparison.values if value.text is not None and not self.term(field, value)]
        if not zeros:
            return super().member_of(field, comparison)
        others = tuple(value for value in comparison.values if value not in zeros)
        return [self.equal(field, zeros[0]), *super().member_of(field, replace(comparison, values=others))]

    def within(self, field: Field, bounds: dict[str, Value]) -> Query:
        return {"range": {field.path: {key: self.term(field, value) or _ZEROS[key] for key, value in bounds.items()}}}


class _Boolean(_Type):
    hint = "use = true or = false"

    def term(self, field: Field, value: Value) -> object:
        text = value.text or ""
        truth = _BOOLEANS.get(text.lower())
        if truth is None:
            message = f"{quoted(text)} is neither true nor false, which {quoted(field.path)} (boolean) needs"
            message += _hint(field, text)
            raise TypeMismatch(message, value.position, value.end)
        return truth

    def within(self, field: Field, bounds: dict[str, Value]) -> Query:
        raise self._refusal(field, "order", next(iter(bounds.values())))


class _Date(_Type):
    hint = "use = with a period such as 2024-05, or <, > or BETWEEN"

    def equal(self, field: Field, value: Value) -> Query:
        if value.text is None:
            raise self._refusal(field, "wildcards", value)
        return self.within(field, {"gte": value, "lte": value})

    def member_of(self, field: Field, comparison: Comparison) -> list[Query]:
        return self.one_each(field, comparison, comparison.values)

    def within(self, field: Field, bounds: dict[str, Value]) -> Query:
        sent: dict[str, object] = {}
        for key, value in bounds.items():
            period = self._period(field, value)
            if key in ("gte", "lt"):
                sent[key] = period.start
            elif period.after is None:
                if key == "gt" and period.last == dates.LAST_NANOSECOND and field.types == ("date_nanos",):
                    # Elasticsearch asks for what is at least one nanosecond more, and there its count overflows.
                    return {"match_none": {}}
                sent[key] = period.last
            else:
                sent["gte" if key == "gt" else "lt"] = period.after
        return {"range": {field.path: {**sent, "format": dates.FORMAT}}}

    def _period(self, field: Field, value: Value) -> dates.Period:
        text = value.text or ""
        try:
            return dates.period(text, field.types)
        except (dates.NotADate, dates.OutOfRange) as error:
            message = f"{quoted(text)} {error}{_hint(field, text)}"
            raise TypeMismatch(message, value.position, value.end) from None


_BY_FAMILY: dict[Family, tuple[_Type, _Type]] = {
    Family.KEYWORD: (_String(case_insensitive=False), _String(case_insensitive=True)),
    Family.FLATTENED: (_Flattened(case_insensitive=False), _Flattened(case_insensitive=True)),
    Family.TEXT: (_Text(), _Text()),
    Family.IP: (_Ip(), _Ip()),
    Family.INTEGER: (_Integer(), _Integer()),
    Family.FLOAT: (_Float(), _Float()),
    Family.DATE: (_Date(), _Date()),
    Family.BOOLEAN: (_Boolean(), _Boolean()),
}
_KINDS = {name: _BY_FAMILY[family] for name, family in FAMILIES.items() if family in _BY_FAMILY}
"""By mapping type, for values whose letter case counts and for those where it does not."""
# Looking an enumeration's member up costs more than comparing it does.
_EQUAL, _IN, _EXISTS = Operator.EQUAL, Operator.IN, Operator.EXISTS
_CONTAINS, _MATCHES = Operator.CONTAINS, Operator.MATCHES


def alternatives(comparison: Comparison, field: Field, *, case_insensitive: bool) -> list[Query]:
    """Translate a comparison, as if the field were in no nested object.

    Raises:
        UnsupportedOperator: the field's type has no such comparison.
        TypeMismatch: a value does not fit the field's type.
        TooComplex: a value with wildcards is too long.
    """
    operator = comparison.operator
    if operator is _EXISTS:
        return [existence(field, comparison)]
    if field.problem:
        raise UnsupportedOperator(field.problem, comparison.name.position, comparison.name.end)
    asked = field
    if field.keyword is not None and (field.type != "ip" or operator is _CONTAINS or operator is _MATCHES):
        field = field.keyword
    kinds = _KINDS.get(field.type)
    if kinds is None:
        raise _no_value(comparison, field)
    kind = kinds[case_insensitive]
    if operator is _EQUAL:
        return [kind.equal(field, comparison.values[0])]
    if operator is _IN:
        return _member_of(kind, comparison, field, asked)
    if operator is _CONTAINS or operator is _MATCHES:
        queries = [_partial(kind, comparison, field)]
        if asked.family is Family.TEXT and field.ignore_above is not None:
            queries += _in_longer_texts(comparison, asked, field)
        return queries
    return [_range(kind, comparison, field)]


def _partial(kind: _Type, comparison: Comparison, field: Field) -> Query:
    return kind.contains(field, comparison) if comparison.operator is _CONTAINS else kind.matches(field, comparison)


def existence(field: Field, comparison: Comparison) -> Query:
    """`EXISTS`, as if the field were in no nested object.

    Raises:
        UnsupportedOperator: Elasticsearch would find no document, whatever they hold.
    """
    if field.exists_problem:
        raise UnsupportedOperator(field.exists_problem, comparison.name.position, comparison.name.end)
    return {"exists": {"field": field.path}}


def _in_longer_texts(comparison: Comparison, text: Field, whole: Field) -> list[Query]:
    """Query on the words of texts that are too long for the sub-field of whole values."""
    value = comparison.values[0]
    if comparison.operator is _MATCHES:
        no_word_holds_it = has_white_space(value.text or "")
    else:
        no_word_holds_it = value.text is None and _holds_white_space(value)
    if no_word_holds_it:
        return []
    query = _partial(_KINDS[text.type][0], comparison, text)
    return [{"bool": {"filter": [query], "must_not": [{"exists": {"field": whole.path}}]}}]


def _range(kind: _Type, comparison: Comparison, field: Field) -> Query:
    for value in comparison.values:
        if value.text is None:
            message = f"{comparison.operator} takes no wildcards; quote a * or ? that is meant literally"
            raise UnsupportedOperator(message, value.position, value.end)
    if comparison.operator is Operator.BETWEEN:
        low, high = comparison.values
        return kind.within(field, {"gte": low, "lte": high})
    return kind.within(field, {_BOUNDS[comparison.operator]: comparison.values[0]})


def too_many_clauses(comparison: Comparison) -> TooComplex:
    """The error of the comparison with which a query has more clauses than it may."""
    message = f"the query needs more than {MAX_CLAUSES:,} clauses; each value with wildcards is one"
    return TooComplex(message, comparison.position, comparison.end)


def _member_of(kind: _Type, comparison: Comparison, field: Field, asked: Field) -> list[Query]:
    if any(value.is_anything for value in comparison.values):
        return [existence(asked, comparison)]
    return kind.member_of(field, comparison)


def _no_value(comparison: Comparison, field: Field) -> UnsupportedOperator:
    names = ", ".join(quoted(child) for child in field.children[:10]) + (", …" if len(field.children) > 10 else "")
    message = f"{quoted(field.path)} is an object; compare one of its fields" + (f": {names}" if names else "")
    return UnsupportedOperator(message, comparison.name.position, comparison.name.end)


def _with_flags(query: str, field: Field, value: str, flags: Query) -> Query:
    return {query: {field.path: {"value": value, **flags} if flags else value}}


def _prefix(value: Value) -> str | None:
    """The text before the only wildcard, where that is a `*` at the end."""
    parts = value.parts
    if len(parts) == 2 and parts[1] is Wildcard.ANY and isinstance(parts[0], str):
        _check_length(value)
        return parts[0]
    return None


def _pattern(parts: tuple[str | Wildcard, ...], value: Value) -> str:
    _check_length(value)
    pattern: list[str] = []
    for part in parts:
        if isinstance(part, str):
            pattern.append(_escaped(part))
        elif part is Wildcard.ONE or pattern[-1:] != ["*"]:
            pattern.append(part.value)
    return "".join(pattern)


def _escaped(text: str) -> str:
    return _PATTERN_SPECIAL.sub(r"\\\g<0>", text)


def _check_length(value: Value) -> None:
    if value.end - value.position > MAX_WILDCARD and (
        sum(len(part) if isinstance(part, str) else 1 for part in value.parts) > MAX_WILDCARD
    ):
        message = f"a value with wildcards, or one looked for with ~, has at most {MAX_WILDCARD} characters"
        raise TooComplex(message, value.position, value.end)
