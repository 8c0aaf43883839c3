"""A document as the vendor's client gets it: each field by its full name, and every value in a list.

Why: the client types a result as a mapping from a field to a list. ``{"OS": {"Type": "Linux"}}`` becomes ``{"OS.Type":
["Linux"]}``, the name that ``fields``, ``ordering`` and queries use. Objects in a list stay whole, or a version would
lose its name. Elasticsearch's ``fields`` option re-orders and re-formats values. ``count`` is always exact: programs
page by it and cannot tell a lower bound from a count.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson


def as_lists(document: bytes) -> orjson.Fragment:
    """Put every value of a document into a list, under the name by which a query knows its field.

    ``{"Hostname": "a", "OS": {"Type": "Linux"}}`` becomes ``{"Hostname": ["a"], "OS.Type": ["Linux"]}``. A list stays
    as it is, also one of objects, whose members belong together. A field without a value has an empty list.

    Args:
        document: the JSON text of a hit's ``_source``.

    Returns:
        such a text too: of the documents of a page, the values of one are in memory at a time.
    """
    values: dict[str, list[Any]] = {}
    for name, value in _leaves(orjson.loads(document), ""):
        values.setdefault(name, []).extend(value)
    return orjson.Fragment(orjson.dumps(values))


def _leaves(members: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, list[Any]]]:
    for member, value in members.items():
        name = f"{prefix}{member}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{name}.")
        elif isinstance(value, list):
            yield name, value
        else:
            yield name, [] if value is None else [value]
