"""How the vendor's client is given a document: each field by its full name, and every value in a list."""

from collections.abc import Iterator, Mapping
from typing import Any


def as_lists(document: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Put every value of a document into a list, under the name by which a query knows its field.

    ``{"Hostname": "a", "OS": {"Type": "Linux"}}`` becomes ``{"Hostname": ["a"], "OS.Type": ["Linux"]}``. A list stays
    as it is, also one of objects, whose members belong together. A field without a value has an empty list.

    Args:
        document: the ``_source`` of a hit.
    """
    values: dict[str, list[Any]] = {}
    for name, value in _leaves(document, ""):
        values.setdefault(name, []).extend(value)
    return values


def _leaves(members: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, list[Any]]]:
    for member, value in members.items():
        name = f"{prefix}{member}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{name}.")
        elif isinstance(value, list):
            yield name, value
        else:
            yield name, [] if value is None else [value]
