"""The fields of an index, and what the names in ``sort`` and ``fields`` mean by them; pure."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from rapidfuzz import process

from gateway.http.problems import Code, Problem, RejectedQuery, malformed

Field = Mapping[str, Any]
"""A field as ``GET /fields`` describes it."""

_HOLDS_MEMBERS = ("object", "nested")


class Catalogue:
    """The fields of one index, or of several that are searched together.

    Args:
        fields: as ``GET /fields`` lists them.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields: dict[str, Field] = {field["name"]: field for field in fields}

    def sort_field(self, name: str) -> str:
        """Find the field to sort by: the named one, whatever its letter case, or its sub-field with doc values.

        Args:
            name: what the caller wrote, without its sign.

        Raises:
            RejectedQuery: there is no such field; suggests the closest ones.
            Problem: 400, the field has no order; names one that has.
        """
        flattened = self._free_parent(name)
        if flattened is not None and flattened["sortable"]:
            return name
        field = _resolve("sort", name, self._fields)
        if field["sortable"]:
            return _target(field)
        sortable = [other for other, described in self._fields.items() if described["sortable"]]
        sub_fields = [other for other in sortable if other.startswith(f"{field['name']}.")]
        if sub_fields and field["type"] not in _HOLDS_MEMBERS:
            return sub_fields[0]
        raise _no_order(field, sub_fields or sortable)

    def source_member(self, name: str) -> str:
        """Find the member of a document that a name stands for, whatever its letter case.

        Raises:
            RejectedQuery: documents have no such member; suggests the closest ones.
        """
        if self._free_parent(name) is not None:
            return name
        return _target(_resolve("fields", name, self._members))

    @cached_property
    def _members(self) -> dict[str, Field]:
        # What is below anything but an object, such as Ip.keyword, is another way to index the same value.
        return {
            name: field
            for name, field in self._fields.items()
            if all(parent in self._fields and self._fields[parent]["type"] in _HOLDS_MEMBERS for parent in _above(name))
        }

    def _free_parent(self, name: str) -> Field | None:
        """The field above a name whose members no mapping lists: a flattened one, or an object that is not indexed."""
        for parent in _above(name):
            field = self._fields.get(parent)
            if field is not None and (
                field["type"] == "flattened" or (field["type"] == "object" and "problem" in field)
            ):
                return field
        return None


def _above(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


def _resolve(where: str, name: str, fields: Mapping[str, Field]) -> Field:
    if name in fields:
        return fields[name]
    same = [field for field in fields if field.casefold() == name.casefold()]
    if len(same) == 1:
        return fields[same[0]]
    if same:
        raise malformed(f'{where}: "{name}" could be any of {", ".join(sorted(same))}; write one of them.')
    close = process.extract(name, list(fields), processor=str.casefold, limit=3, score_cutoff=60)
    suggestions = [field for field, _, _ in close]
    hint = f'; did you mean "{suggestions[0]}"?' if suggestions else "."
    raise RejectedQuery(Code.UNKNOWN_FIELD, f'{where}: unknown field "{name}"{hint}', {"suggestions": suggestions})


def _target(field: Field) -> str:
    target: str = field.get("alias_of", field["name"])
    return target


def _no_order(field: Field, choices: list[str]) -> Problem:
    name = field["name"]
    parent = field.get("nested", name)
    reason = f'is below the nested "{parent}"' if parent != name else f"is {field['type']}"
    closest = process.extractOne(name, choices)
    hint = f'; sort by a field such as "{closest[0]}".' if closest else "."
    return malformed(f'sort: "{name}" {reason} and has no order{hint}')
