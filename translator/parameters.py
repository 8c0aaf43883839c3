"""Names in `sort` and `fields` of a search: the sort clauses and the members of documents that they mean; pure.

Why: the catalogue knows which names exist and can be sorted by. Elasticsearch's field capabilities would cost a request
for each search, leave out objects that are not indexed, and call types sortable that are not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from translator.catalogue import Catalogue, Family, Field
from translator.errors import RefusedName, UnknownName
from translator.suggestions import suggest

_OBJECTS = (Family.OBJECT, Family.NESTED)


def sort_clauses(names: Iterable[str], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Elasticsearch's sort clauses for field names.

    Args:
        names: each after `-` for descending order. Letter case does not count where it leaves one choice. A name stands
            for its sub-field with doc values where it has no order itself.
        catalogue: the fields of the index that is searched.

    Raises:
        UnknownName: a field does not exist; suggests the closest ones.
        RefusedName: a field has no order, and the message names one that has; or a name could be several fields.
    """
    return [
        {_sort_field(name.removeprefix("-"), catalogue): {"order": "desc" if name.startswith("-") else "asc"}}
        for name in names
    ]


def source_members(names: Sequence[str] | None, catalogue: Catalogue) -> list[str] | Literal[True]:
    """The members of a document that names stand for.

    Args:
        names: letter case does not count where it leaves one choice; None for the whole document.
        catalogue: the fields of the index that is searched.

    Raises:
        UnknownName: documents have no such member; suggests the closest ones.
        RefusedName: a name could be several fields.
    """
    return True if names is None else [_source_member(name, catalogue) for name in names]


def _sort_field(name: str, catalogue: Catalogue) -> str:
    fields = catalogue.fields
    free = _free_path(name, fields, lambda holder: holder.sortable)
    if free is not None:
        return free
    found = _resolve("sort", name, catalogue, lambda _: True)
    field = fields[found]
    if field.sortable:
        return field.path
    sortable = [other for other, described in fields.items() if described.sortable]
    sub_fields = [other for other in sortable if other.startswith(f"{field.path}.")]
    if sub_fields and field.family not in _OBJECTS:
        return sub_fields[0]
    choices = sub_fields or sortable
    closest = next(iter(suggest(found, "", choices) or choices), None)
    hint = f'; sort by a field such as "{closest}".' if closest else "."
    parent = field.nested[-1] if field.nested else found
    reason = f'is below the nested "{parent}"' if parent != found else f"is {field.type}"
    raise RefusedName(f'sort: "{found}" {reason} and has no order{hint}')


def _source_member(name: str, catalogue: Catalogue) -> str:
    fields = catalogue.fields
    free = _free_path(name, fields, lambda _: True)
    if free is not None:
        return free
    found = _resolve("fields", name, catalogue, lambda path: _member(path, fields) == path)
    return _member(fields[found].path, fields)


def _free_path(name: str, fields: Mapping[str, Field], is_usable: Callable[[Field], bool]) -> str | None:
    """The path of a name whose members no mapping lists: one below a flattened field, or an object not indexed."""
    for parent in _above(name):
        field = fields.get(parent)
        if field is not None and (field.type == "flattened" or (field.type == "object" and field.problem)):
            return field.path + name[len(parent) :] if is_usable(field) else None
    return None


def _member(path: str, fields: Mapping[str, Field]) -> str:
    """The member of a document that holds a field's value: `Title` for its sub-field `Title.keyword`."""
    for parent in _above(path):
        if parent in fields and fields[parent].family not in _OBJECTS:
            return parent
    return path


def _above(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


def _resolve(parameter: str, name: str, catalogue: Catalogue, is_wanted: Callable[[str], bool]) -> str:
    """The name of a field as the mapping has it."""
    if name in catalogue.fields and is_wanted(name):
        return name
    same = sorted(filter(is_wanted, catalogue.spellings(name)))
    if len(same) == 1:
        return same[0]
    if same:
        raise RefusedName(f'{parameter}: "{name}" could be any of {", ".join(same)}; write one of them.')
    suggestions = suggest(name, "", filter(is_wanted, catalogue.fields))
    hint = f'; did you mean "{suggestions[0]}"?' if suggestions else "."
    raise UnknownName(f'{parameter}: unknown field "{name}"{hint}', suggestions)
