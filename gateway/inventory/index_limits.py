"""Values that a schema may allow and an index refuses, such as a leap second; pure.

A document with one would be accepted, and never found. What Elasticsearch takes is described at
https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/field-data-types and, for dates
(``strict_date_optional_time``), at
https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/mapping-date-format
"""

import ipaddress
import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.inventory.json_schema import DocumentError, escape

_KEYWORD = "mapping"
"""Stands where other errors name a keyword of JSON Schema."""
_DATE = re.compile(
    r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-([0-2][0-9]|3[01])"
    r"(?:T(?:[01][0-9]|2[0-3])(?::[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?)?"
    r"(?:Z|[+-](?:(?:0[0-9]|1[0-7]):?[0-5][0-9]|18:?00))?)?)?)?"
)
_MILLISECONDS = re.compile(r"-?[0-9]{1,18}")
_INTEGERS = {"long": 63, "integer": 31, "short": 15, "byte": 7}
_MAX_FLOAT = 3.4028234663852886e38
_MAX_TERM_BYTES = 32_766
"""Lucene's; with the name of a member of a flattened object, and a byte between both."""

Check = Callable[[Any], str | None]


class IndexLimits:  # pylint: disable=too-few-public-methods  # it does one thing
    """Check of documents against the mapping of their type.

    Args:
        properties: of the mapping.
    """

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._members = _members(properties)

    def errors(self, document: Any) -> list[DocumentError]:
        """The values of a document, which its schema allows, that the index refuses."""
        return list(_errors(self._members, document, ""))


Members = dict[str, "Check | Members"]


def _members(properties: Mapping[str, Any]) -> Members:
    """Members of an object to look at, by name, except those whose values always fit."""
    found: Members = {}
    for name, mapping in properties.items():
        below = _members(mapping.get("properties", {}))
        check = _check(mapping)
        if below:
            found[name] = below
        elif check is not None:
            found[name] = check
    return found


def _check(mapping: Mapping[str, Any]) -> Check | None:
    if mapping.get("ignore_malformed") in (True, "true"):
        return None
    kind = mapping.get("type", "object")
    if kind in _INTEGERS:
        return _Integer(kind, _INTEGERS[kind])
    if kind == "keyword" and "ignore_above" not in mapping:
        return _term
    if kind == "flattened":
        return _Flattened(int(mapping.get("ignore_above", _MAX_TERM_BYTES)))
    return {"date": _date, "ip": _address, "float": _float}.get(kind)


def _errors(members: Members, value: Any, path: str) -> Iterator[DocumentError]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _errors(members, each, f"{path}/{number}")
    elif isinstance(value, dict):
        for name, check in members.items():
            if value.get(name) is not None:
                place = f"{path}/{escape(name)}"
                if callable(check):
                    yield from _refused(check, value[name], place)
                else:
                    yield from _errors(check, value[name], place)


def _refused(check: Check, value: Any, path: str) -> Iterator[DocumentError]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _refused(check, each, f"{path}/{number}")
    elif value is not None and (detail := check(value)) is not None:
        yield DocumentError(pointer=path, keyword=_KEYWORD, detail=detail)


def _date(value: Any) -> str | None:
    if isinstance(value, str):
        found = _DATE.fullmatch(value)
        if found is None and not _MILLISECONDS.fullmatch(value):
            return (
                "the index takes dates such as 2026-01-31T12:00:00.5Z: seconds up to 59, at most nine digits after "
                "them, Z or an offset of at most 18 hours, T and Z in capitals"
            )
        if found is not None and found[3] is not None:
            year, month, day = int(found[1]), int(found[2]), int(found[3])
            # The calendar has no year 0, which was a leap year.
            if not 1 <= day <= monthrange(year or 4, month)[1]:
                return "the index takes days that the calendar has"
    return None


def _address(value: Any) -> str | None:
    try:
        if isinstance(value, str) and "%" not in value:
            ipaddress.ip_address(value)
            return None
    except ValueError:
        pass
    return "the index takes addresses of IPv4 and IPv6, without a zone"


class _Integer:  # pylint: disable=too-few-public-methods  # a function with two values
    """Check of whole numbers of so many bits and a sign."""

    def __init__(self, kind: str, bits: int) -> None:
        self._kind = kind
        self._least, self._most = -(1 << bits), (1 << bits) - 1

    def __call__(self, value: Any) -> str | None:
        if isinstance(value, int | float) and not self._least <= value <= self._most:
            return f"the index takes numbers from {self._least} to {self._most} ({self._kind})"
        return None


def _float(value: Any) -> str | None:
    if isinstance(value, int | float) and abs(value) > _MAX_FLOAT:
        return f"the index takes numbers up to {_MAX_FLOAT:g} (float)"
    return None


def _term(value: Any) -> str | None:
    if isinstance(value, str) and len(value.encode()) > _MAX_TERM_BYTES:
        return f"the index takes texts of up to {_MAX_TERM_BYTES:,} bytes"
    return None


class _Flattened:  # pylint: disable=too-few-public-methods  # a function with a value
    """Check of objects whose members are terms, except those whose value is longer than ``ignore_above``."""

    def __init__(self, ignore_above: int) -> None:
        self._ignore_above = ignore_above

    def __call__(self, value: Any) -> str | None:
        if isinstance(value, dict):
            for name, each in value.items():
                for text in map(str, each if isinstance(each, list) else [each]):
                    length = len(name.encode()) + 1 + len(text.encode())
                    if length > _MAX_TERM_BYTES and len(text) <= self._ignore_above:
                        return f"the index takes names and values of up to {_MAX_TERM_BYTES:,} bytes together"
        return None
