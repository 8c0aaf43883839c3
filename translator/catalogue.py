"""Catalogue of an index: its fields, as its mapping has them."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, NamedTuple, TypeAlias

from translator.errors import TooComplex, UnknownField, quoted
from translator.limits import MAX_NAME, MAX_NAME_PARTS
from translator.nodes import Name
from translator.suggestions import MAX_SUGGESTIONS, suggest


class MappingError(ValueError):
    """Invalid mapping; the message says where."""


class Family(Enum):
    """Mapping types that are searched alike."""

    KEYWORD = auto()
    FLATTENED = auto()
    TEXT = auto()
    IP = auto()
    INTEGER = auto()
    FLOAT = auto()
    DATE = auto()
    BOOLEAN = auto()
    OBJECT = auto()
    NESTED = auto()
    UNSUPPORTED = auto()


FAMILIES = {
    "keyword": Family.KEYWORD,
    "constant_keyword": Family.KEYWORD,
    "wildcard": Family.KEYWORD,
    "version": Family.KEYWORD,
    "flattened": Family.FLATTENED,
    "text": Family.TEXT,
    "match_only_text": Family.TEXT,
    "ip": Family.IP,
    "byte": Family.INTEGER,
    "short": Family.INTEGER,
    "integer": Family.INTEGER,
    "long": Family.INTEGER,
    "unsigned_long": Family.INTEGER,
    "half_float": Family.FLOAT,
    "float": Family.FLOAT,
    "double": Family.FLOAT,
    "scaled_float": Family.FLOAT,
    "date": Family.DATE,
    "date_nanos": Family.DATE,
    "boolean": Family.BOOLEAN,
    "object": Family.OBJECT,
    "passthrough": Family.OBJECT,
    "nested": Family.NESTED,
}
"""By Elasticsearch's name of the mapping type; a type that is not here is not searched."""
_SORTABLE = frozenset(
    (Family.KEYWORD, Family.FLATTENED, Family.IP, Family.INTEGER, Family.FLOAT, Family.DATE, Family.BOOLEAN)
)
# These are always indexed, in a way of their own, and take no such parameters.
_ALWAYS_SEARCHABLE = frozenset({"constant_keyword", "wildcard", "version"})
_WITHOUT_EXISTS = frozenset({"rank_features", "lookup"})
"""Types of which Elasticsearch cannot say which documents have them."""


@dataclass(frozen=True, slots=True)
class Field:  # pylint: disable=too-many-instance-attributes  # what a mapping says of a field
    """A field that a query can name.

    Attributes:
        path: what Elasticsearch is asked for; an alias has its target's, except where the indices disagree about it.
        type: the mapping type, as Elasticsearch names it.
        family: what it is searched like.
        nested: paths of the nested objects that hold it, from the outermost to the innermost; a nested object's own
            path is among them.
        keyword: the sub-field with the whole value, where a text or ip field has one.
        is_alias: whether it is an alias in one index and not in all: an index may have the sub-field and no alias.
        problem: why it cannot be compared with a value; empty where it can be.
        exists_problem: why it cannot be asked for existence; empty where it can be.
        sortable: whether documents can be sorted by it.
        children: paths below an object or nested object, in order.
        ignore_above: the length over which values are not indexed, the least of all indices; None for no limit.
        nested_below: nested objects below this object, in none of each other.
        types: the mapping types of all indices, which are searched alike where `problem` is empty.
        places: `nested` in each index, each once; several only where the indices disagree.
        leaf: what is below it, where it is flattened in one index at least; the path is this field's.
    """

    path: str
    type: str
    family: Family
    nested: tuple[str, ...] = ()
    keyword: "Field | None" = None
    is_alias: bool = False
    problem: str = ""
    exists_problem: str = ""
    sortable: bool = False
    children: tuple[str, ...] = ()
    nested_below: tuple["Field", ...] = ()
    types: tuple[str, ...] = ()
    ignore_above: int | None = None
    places: tuple[tuple[str, ...], ...] = ((),)
    leaf: "Field | None" = None


class _Definition(NamedTuple):
    """A field in one index's mapping; of an alias, its target's in all but the path."""

    path: str
    type: str
    parameters: Mapping[str, Any]
    nested: tuple[str, ...]
    sub_fields: tuple[str, ...] = ()
    target: str = ""
    """The path that an alias stands for."""


_ByIndex: TypeAlias = dict[str, _Definition]


class Catalogue:
    """The fields of one index, or of several that are searched together."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields: Mapping[str, Field] = fields
        self._folded: dict[str, list[str]] = {}
        for path in fields:
            self._folded.setdefault(path.casefold(), []).append(path)

    @classmethod
    def from_mappings(cls, mappings: Mapping[str, Any]) -> "Catalogue":
        """Read mappings by index, as `GET /{index}/_mapping` has them below `mappings`.

        Raises:
            MappingError: one of them is no mapping.
        """
        by_path = _by_path(mappings)
        children: dict[str, list[str]] = {}
        for path in by_path:
            children.setdefault(path.rpartition(".")[0], []).append(path)
        fields: dict[str, Field] = {}
        # Sub-fields and nested objects come before what refers to them: longer paths first, and aliases at the end.
        for path in sorted(by_path, key=lambda path: (_is_alias(by_path[path]), -len(path))):
            fields[path] = _field(path, by_path, fields, tuple(children.get(path, ())))
        for path, by_index in by_path.items():
            target = _agreed_target(path, by_index, by_path)
            if target:
                fields[path] = fields[target]
        return cls({path: fields[path] for path in by_path})

    def resolve(self, name: Name, scope: str = "") -> Field:
        """Find the field that a query means.

        Args:
            name: as it was written; another letter case will do where it leaves one choice.
            scope: path of the nested object that it is relative to, with a dot at its end; empty at the top.

        Raises:
            UnknownField: no field has the name, or several have it in other letter cases.
            TooComplex: the name is over a limit.
        """
        if len(name.path) > MAX_NAME or name.path.count(".") >= MAX_NAME_PARTS:
            message = f"the name of a field has at most {MAX_NAME:,} characters and {MAX_NAME_PARTS} parts"
            raise TooComplex(message, name.position, name.end)
        path = scope + name.path
        field = self.fields.get(path)
        if field is not None:
            return field
        candidates = self.spellings(path)
        if len(candidates) == 1:
            return self.fields[candidates[0]]
        relative = tuple(candidate[len(scope) :] for candidate in candidates)
        if relative:
            choices = ", ".join(quoted(candidate) for candidate in relative)
            message = f"{quoted(name.path)} could be any of {choices}; write one of them as it is"
            raise UnknownField(message, name.position, name.end, relative[:MAX_SUGGESTIONS])
        flattened = self._below_flattened(path)
        if flattened is not None:
            return flattened
        suggestions = self.suggest(name.path, scope)
        within = f" in {quoted(scope[:-1])}" if scope else ""
        guess = f"; did you mean {' or '.join(quoted(item) for item in suggestions)}?" if suggestions else ""
        arrow = "; a dot stands between the parts of a name, not ->" if name.path.endswith("-") else ""
        message = f"unknown field {quoted(name.path)}{within}{guess}{arrow}"
        raise UnknownField(message, name.position, name.end, suggestions)

    def spellings(self, path: str) -> Sequence[str]:
        """All paths that are written like this one, letter case aside."""
        return self._folded.get(path.casefold(), ())

    def suggest(self, name: str, scope: str = "") -> tuple[str, ...]:
        """Up to three names close to one that does not exist, the closest first."""
        return suggest(name, scope, self.fields)

    def _below_flattened(self, path: str) -> Field | None:
        end = path.rfind(".")
        while end > 0:
            candidates = [path[:end]] if path[:end] in self.fields else self._folded.get(path[:end].casefold(), [])
            if len(candidates) == 1:
                root = self.fields[candidates[0]]
                return root.leaf and replace(root.leaf, path=root.path + path[end:])
            end = path.rfind(".", 0, end)
        return None


def _by_path(mappings: Mapping[str, Any]) -> dict[str, _ByIndex]:
    """All fields of all indices; what is an alias, or below a flattened field, in one index is there as what it is."""
    by_path: dict[str, _ByIndex] = {}
    for index, mapping in mappings.items():
        for definition in _of_one_index(mapping).values():
            by_path.setdefault(definition.path, {})[index] = definition
    flattened = [
        (path, index)
        for path, by_index in by_path.items()
        for index, definition in by_index.items()
        if definition.type == "flattened"
    ]
    if len(mappings) > 1 and flattened:
        paths = sorted(by_path)
        for root, index in flattened:
            prefix = f"{root}."
            for path in paths[bisect_left(paths, prefix) :]:
                if not path.startswith(prefix):
                    break
                by_path[path].setdefault(index, by_path[root][index]._replace(path=path, sub_fields=()))
    return by_path


def _of_one_index(mapping: Any) -> dict[str, _Definition]:
    """The fields of one index by path, objects before what is below them."""
    definitions = {definition.path: definition for definition in _definitions(mapping)}
    # Where objects are not kept (`subobjects: false`), a name holds dots, and what is before them is an object all
    # the same to who asks whether there is anything below.
    for definition in list(definitions.values()):
        parent = definition.path.rpartition(".")[0]
        while parent and parent not in definitions:
            nested = tuple(path for path in definition.nested if path != definition.path)
            definitions[parent] = _Definition(parent, "object", {}, nested)
            parent = parent.rpartition(".")[0]
    for path, definition in definitions.items():
        if definition.type == "alias":
            target = definitions.get(str(definition.parameters.get("path")))
            if target is not None and target.type != "alias":
                definitions[path] = target._replace(path=path, target=target.path)
    return definitions


def _definitions(mapping: Any) -> Iterator[_Definition]:
    """All fields of one index's mapping, objects before what is below them."""
    yield from _properties(_object(mapping, "the mapping"))
    # A runtime field hides an indexed one of the same name, so it comes last.
    for name, definition in _object(mapping.get("runtime", {}), "runtime").items():
        parameters = _object(definition, name)
        if parameters.get("type") == "composite":
            for part, below in _object(parameters.get("fields", {}), name).items():
                yield _Definition(f"{name}.{part}", str(_object(below, part).get("type")), {}, ())
        else:
            yield _Definition(name, str(parameters.get("type")), {}, ())


def _properties(mapping: Mapping[str, Any]) -> Iterator[_Definition]:
    todo: list[tuple[str, Mapping[str, Any], tuple[str, ...]]] = [("", mapping, ())]
    while todo:
        prefix, holder, nested = todo.pop()
        for name, definition in _object(holder.get("properties", {}), f"{prefix}properties").items():
            path = prefix + name
            parameters = _object(definition, path)
            if holder.get("enabled") is False:
                # Elasticsearch looks at nothing below such an object, whatever the mapping says of it.
                parameters = {**parameters, "type": "object", "enabled": False, "fields": {}}
            kind = str(parameters.get("type", "object"))
            around = (*nested, path) if kind == "nested" else nested
            sub_fields = {
                f"{path}.{name}": _object(below, path)
                for name, below in _object(parameters.get("fields", {}), f"{path}.fields").items()
            }
            yield _Definition(path, kind, parameters, around, tuple(sub_fields))
            for sub_path, below in sub_fields.items():
                yield _Definition(sub_path, str(below.get("type")), below, nested)
            if "properties" in parameters:
                todo.append((f"{path}.", parameters, around))


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MappingError(f"{where}: expected an object")
    return value


def _is_alias(by_index: _ByIndex) -> bool:
    return any(definition.target for definition in by_index.values())


def _agreed_target(path: str, by_index: _ByIndex, by_path: Mapping[str, _ByIndex]) -> str:
    """The field that an alias stands for in every index that has either of them; empty for any other."""
    targets = {definition.target for definition in by_index.values()}
    target = targets.pop()
    # An index with the target alone has no such alias: its documents do not match.
    return target if not targets and target and by_path[target].keys() == by_path[path].keys() else ""


def _field(path: str, by_path: Mapping[str, _ByIndex], fields: Mapping[str, Field], below: tuple[str, ...]) -> Field:
    by_index = by_path[path]
    definitions = list(by_index.values())
    first = definitions[0]
    family = FAMILIES.get(first.type, Family.UNSUPPORTED)
    conflict = _conflict(by_index)
    problem = conflict or _first(_problem, by_index)
    keyword = None if conflict or family not in (Family.TEXT, Family.IP) else _keyword(definitions, by_path, fields)
    if problem and keyword is not None and not _is_alias(by_index):
        # A text that is not indexed, but its whole value is.
        return keyword
    # A multi-field's name is below its field's too, but it is no part of an object.
    is_object = any(FAMILIES.get(each.type) in (Family.OBJECT, Family.NESTED) for each in definitions)
    flattened = next((each for each in definitions if each.type == "flattened"), None)
    return Field(
        path=path,
        type=first.type,
        family=family,
        nested=first.nested,
        keyword=keyword,
        is_alias=_is_alias(by_index),
        problem=problem,
        exists_problem=_first(_exists_problem, by_index),
        sortable=not problem and family in _SORTABLE and all(map(_has_order, definitions)),
        children=below if is_object else (),
        nested_below=_outermost_nested(fields[child] for child in below if child in fields) if is_object else (),
        types=tuple(dict.fromkeys(each.type for each in definitions)),
        ignore_above=_ignore_above(definitions),
        places=tuple(dict.fromkeys(each.nested for each in definitions)),
        leaf=flattened
        and Field(
            path,
            "flattened",
            Family.FLATTENED,
            flattened.nested,
            problem=_problem(flattened),
            exists_problem=_exists_problem(flattened),
            types=("flattened",),
            ignore_above=_ignore_above([flattened]),
            places=(flattened.nested,),
        ),
    )


def _first(problem: Callable[[_Definition], str], by_index: _ByIndex) -> str:
    """The first problem that an index has with a field; says which index, where others have none."""
    found = {index: said for index, definition in by_index.items() if (said := problem(definition))}
    if not found or len(found) == len(by_index):
        return next(iter(found.values()), "")
    index, said = next(iter(found.items()))
    return f"in {index}, {said}; search the other indices by themselves"


def _has_order(definition: _Definition) -> bool:
    # A document has many nested objects, and so no one value to stand in line by.
    return not definition.nested and definition.parameters.get("doc_values") is not False


def _keyword(
    definitions: list[_Definition], by_path: Mapping[str, _ByIndex], fields: Mapping[str, Field]
) -> Field | None:
    """The sub-field that keeps the value as it is written, and the longest ones."""

    def fitness(path: str) -> tuple[bool, float, bool, str]:
        field = fields[path]
        is_normalized = any("normalizer" in each.parameters for each in by_path[path].values())
        limit = math.inf if field.ignore_above is None else field.ignore_above
        return is_normalized, -limit, field.type != "keyword", path

    # One index without the sub-field, and its documents would be missed.
    shared = [path for path in definitions[0].sub_fields if all(path in each.sub_fields for each in definitions)]
    whole = [
        path for path in shared if not fields[path].problem and {"keyword", "wildcard"}.issuperset(fields[path].types)
    ]
    return fields[min(whole, key=fitness)] if whole else None


def _ignore_above(definitions: list[_Definition]) -> int | None:
    limits = [each.parameters.get("ignore_above") for each in definitions]
    return min((limit for limit in limits if isinstance(limit, int)), default=None)


def _outermost_nested(children: Iterable[Field]) -> tuple[Field, ...]:
    below: list[Field] = []
    for child in children:
        below += [child] if "nested" in child.types else child.nested_below
    return tuple(below)


def _conflict(by_index: _ByIndex) -> str:
    """In what the indices disagree, where no one query could ask them all; empty where one can."""
    seen: dict[object, tuple[str, str]] = {}
    for index, definition in by_index.items():
        around = f" below {definition.nested[-1]}" if definition.nested else ""
        # The order of a version is one of its own.
        alike = FAMILIES.get(definition.type) if definition.type != "version" else None
        seen.setdefault((alike or definition.type, definition.nested), (f"{definition.type}{around}", index))
    if len(seen) < 2:
        return ""
    places = " and ".join(f"{kind} in {index}" for kind, index in list(seen.values())[:2])
    path = next(iter(by_index.values())).path
    return f"{quoted(path)} is {places}; search these indices one at a time, or ask with EXISTS"


def _problem(definition: _Definition) -> str:
    """Return why a field cannot be compared with a value."""
    path, kind, parameters = definition.path, definition.type, definition.parameters
    if kind not in FAMILIES and kind != "alias":
        return _exists_problem(definition) or (
            f"{quoted(path)} is of type {kind}, which cannot be compared with a value; ask with EXISTS"
        )
    if kind in ("text", "match_only_text", "flattened") or parameters.get("doc_values") is False:
        is_searchable = kind in _ALWAYS_SEARCHABLE or parameters.get("index") is not False
    else:
        is_searchable = True
    return _exists_problem(definition) if is_searchable else _not_indexed(path)


def _exists_problem(definition: _Definition) -> str:
    """Return why a field cannot be asked for existence: Elasticsearch would find no document, whatever they hold."""
    path, kind, parameters = definition.path, definition.type, definition.parameters
    if kind == "alias":
        return f"{quoted(path)} is an alias of a field that does not exist"
    if kind in _WITHOUT_EXISTS:
        return f"{quoted(path)} is of type {kind}, which Elasticsearch cannot be asked for"
    if kind in _ALWAYS_SEARCHABLE:
        return ""
    if kind == "binary":
        is_kept = parameters.get("doc_values") is True or parameters.get("store") is True
    elif kind in ("text", "match_only_text"):
        is_kept = parameters.get("index") is not False
    else:
        is_kept = parameters.get("enabled") is not False and (
            parameters.get("index") is not False
            or parameters.get("doc_values") is not False
            or parameters.get("store") is True
        )
    return "" if is_kept else _not_indexed(path)


def _not_indexed(path: str) -> str:
    return f"{quoted(path)} is stored without being indexed; only a change of the mapping makes it searchable"
