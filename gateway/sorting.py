"""Which field a document list is sorted by when somebody names one; pure, by what Elasticsearch says of its fields."""

from collections.abc import Mapping
from typing import Any

from rapidfuzz import process

from gateway.problems import Code, Problem, RejectedQuery, malformed

FieldCapabilities = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By field name and type: the member "fields" of Elasticsearch's ``_field_caps`` answer."""


def sort_field(name: str, capabilities: FieldCapabilities) -> str:
    """Find the field to sort by: the named one, whatever its letter case, or its sub-field with doc values.

    Args:
        name: what the caller wrote, without its sign.
        capabilities: all fields of the index.

    Raises:
        RejectedQuery: there is no such field; suggests the closest ones.
        Problem: 400, the field has no order; names one that has.
    """
    if _parent(name, "flattened", capabilities):
        return name
    field = _resolve(name, capabilities)
    sortable = [field for field in capabilities if _has_order(field, capabilities)]
    if field in sortable:
        return field
    sub_fields = [candidate for candidate in sortable if candidate.startswith(f"{field}.")]
    if "text" in capabilities[field] and sub_fields:
        return sub_fields[0]
    raise _no_order(field, sub_fields or sortable, capabilities)


def _resolve(name: str, capabilities: FieldCapabilities) -> str:
    if name in capabilities:
        return name
    same = [field for field in capabilities if field.lower() == name.lower()]
    if len(same) == 1:
        return same[0]
    if same:
        raise malformed(f'sort: "{name}" could be any of {", ".join(sorted(same))}; write one of them.')
    suggestions = [field for field, _, _ in process.extract(name, list(capabilities), limit=3, score_cutoff=60)]
    hint = f'; did you mean "{suggestions[0]}"?' if suggestions else "."
    raise RejectedQuery(Code.UNKNOWN_FIELD, f'sort: unknown field "{name}"{hint}', {"suggestions": suggestions})


def _parent(field: str, type_name: str, capabilities: FieldCapabilities) -> str | None:
    parts = field.split(".")
    parents = (".".join(parts[:end]) for end in range(1, len(parts)))
    return next((parent for parent in parents if type_name in capabilities.get(parent, {})), None)


def _has_order(field: str, capabilities: FieldCapabilities) -> bool:
    types = capabilities[field]
    return all(capability["aggregatable"] for capability in types.values()) and not _parent(
        field, "nested", capabilities
    )


def _no_order(field: str, choices: list[str], capabilities: FieldCapabilities) -> Problem:
    parent = _parent(field, "nested", capabilities)
    reason = f'is below the nested "{parent}"' if parent else f"is {' and '.join(sorted(capabilities[field]))}"
    closest = process.extractOne(field, choices)
    hint = f'; sort by a field such as "{closest[0]}".' if closest else "."
    return malformed(f'sort: "{field}" {reason} and has no order{hint}')
