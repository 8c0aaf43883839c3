"""The fields of an index, as its mapping has them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from translator.errors import UnknownField, quoted
from translator.nodes import Name

_MAX_SUGGESTIONS = 3
_LONGEST_GUESSED_NAME = 256
"""Names longer than this are not compared with the catalogue's: they resemble none of them."""


class MappingError(ValueError):
    """What was given as a mapping is none; the message says where."""


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


@dataclass(frozen=True, slots=True)
class Field:  # pylint: disable=too-many-instance-attributes  # what a mapping says of a field
    """A field that a query can name.

    Attributes:
        path: what Elasticsearch is asked for; an alias has its target's.
        type: the mapping type, as Elasticsearch names it.
        family: what it is searched like.
        nested: paths of the nested objects that hold it, from the outermost to the innermost; a nested object's own
            path is among them.
        keyword: the sub-field with the whole value, where a text or ip field has one.
        problem: why it cannot be searched; empty where it can be.
        sortable: whether documents can be sorted by it.
        children: paths below an object or nested object, in order.
        nested_below: nested objects below this object, in none of each other.
    """

    path: str
    type: str
    family: Family
    nested: tuple[str, ...] = ()
    keyword: "Field | None" = None
    problem: str = ""
    sortable: bool = False
    children: tuple[str, ...] = ()
    nested_below: tuple["Field", ...] = ()


class _Definition(NamedTuple):
    """A field in one index's mapping."""

    path: str
    type: str
    parameters: Mapping[str, Any]
    nested: tuple[str, ...]
    sub_fields: tuple[tuple[str, str], ...]


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
        definitions: dict[str, dict[str, _Definition]] = {}
        for index, mapping in mappings.items():
            for definition in _definitions(mapping):
                definitions.setdefault(definition.path, {})[index] = definition
        fields: dict[str, Field] = {}
        # Sub-fields and nested objects come before what refers to them: longer paths first.
        children: dict[str, list[str]] = {}
        for path in definitions:
            children.setdefault(path.rpartition(".")[0], []).append(path)
        for path in sorted(definitions, key=len, reverse=True):
            fields[path] = _field(definitions[path], fields, tuple(children.get(path, ())))
        for path, by_index in definitions.items():
            if fields[path].type == "alias":
                target = next(iter(by_index.values())).parameters.get("path")
                fields[path] = fields.get(str(target), fields[path])
        return cls({path: fields[path] for path in definitions})

    def resolve(self, name: Name, scope: str = "") -> Field:
        """Find the field that a query means.

        Args:
            name: as it was written; another letter case will do where it leaves one choice.
            scope: path of the nested object that it is relative to, with a dot at its end; empty at the top.

        Raises:
            UnknownField: there is none, or several in other letter cases.
        """
        path = scope + name.path
        field = self.fields.get(path)
        if field is not None:
            return field
        candidates = self._folded.get(path.casefold(), ())
        if len(candidates) == 1:
            return self.fields[candidates[0]]
        relative = tuple(candidate[len(scope) :] for candidate in candidates)
        if relative:
            choices = ", ".join(quoted(candidate) for candidate in relative)
            message = f"{quoted(name.path)} could be any of {choices}; write one of them as it is"
            raise UnknownField(message, name.position, name.end, relative[:_MAX_SUGGESTIONS])
        flattened = self._below_flattened(path)
        if flattened is not None:
            return flattened
        suggestions = self.suggest(name.path, scope)
        within = f" in {quoted(scope[:-1])}" if scope else ""
        guess = f"; did you mean {' or '.join(quoted(item) for item in suggestions)}?" if suggestions else ""
        message = f"unknown field {quoted(name.path)}{within}{guess}"
        raise UnknownField(message, name.position, name.end, suggestions)

    def suggest(self, name: str, scope: str = "") -> tuple[str, ...]:
        """Up to three names close to one that does not exist, the closest first."""
        if len(name) > _LONGEST_GUESSED_NAME:
            return ()
        wanted = name.casefold()
        choices = {path: path[len(scope) :].casefold() for path in self.fields if path.startswith(scope)}
        # A name may also lack the objects above it: Type for OS.Type.
        tails = {path: choice.rpartition(".")[2] for path, choice in choices.items()}
        limit = max(1, len(name) // 3)
        distances: dict[str, float] = {}
        for spelled, extra in ((choices, 0), (tails, 0.5)):
            found = process.extract(wanted, spelled, scorer=OSA.distance, score_cutoff=limit, limit=_MAX_SUGGESTIONS)
            for _, distance, path in found:
                distances[path] = min(distance + extra, distances.get(path, limit + 1))
        closest = sorted(distances, key=lambda path: (distances[path], path))
        return tuple(path[len(scope) :] for path in closest[:_MAX_SUGGESTIONS])

    def _below_flattened(self, path: str) -> Field | None:
        end = path.rfind(".")
        while end > 0:
            candidates = [path[:end]] if path[:end] in self.fields else self._folded.get(path[:end].casefold(), [])
            if len(candidates) == 1:
                root = self.fields[candidates[0]]
                if root.family is not Family.FLATTENED:
                    return None
                return Field(root.path + path[end:], root.type, root.family, root.nested, problem=root.problem)
            end = path.rfind(".", 0, end)
        return None


def _definitions(mapping: Any) -> Iterator[_Definition]:
    """All fields of one index's mapping, objects before what is below them."""
    yield from _properties(_object(mapping, "the mapping"))
    # A runtime field hides an indexed one of the same name, so it comes last.
    for name, definition in _object(mapping.get("runtime", {}), "runtime").items():
        parameters = _object(definition, name)
        if parameters.get("type") == "composite":
            for part, below in _object(parameters.get("fields", {}), name).items():
                yield _Definition(f"{name}.{part}", str(_object(below, part).get("type")), {}, (), ())
        else:
            yield _Definition(name, str(parameters.get("type")), {}, (), ())


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
            sub_fields = _object(parameters.get("fields", {}), f"{path}.fields")
            kinds = tuple((f"{path}.{sub}", str(_object(below, path).get("type"))) for sub, below in sub_fields.items())
            yield _Definition(path, kind, parameters, around, kinds)
            for names, below in zip(kinds, sub_fields.values(), strict=True):
                yield _Definition(*names, below, nested, ())
            if "properties" in parameters:
                todo.append((f"{path}.", parameters, around))


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MappingError(f"{where}: expected an object")
    return value


def _field(by_index: Mapping[str, _Definition], fields: Mapping[str, Field], below: tuple[str, ...]) -> Field:
    definitions = list(by_index.values())
    first = definitions[0]
    family = FAMILIES.get(first.type, Family.UNSUPPORTED)
    keyword = _keyword(definitions, fields) if family in (Family.TEXT, Family.IP) else None
    # A multi-field's name is below its field's too, but it is no part of an object.
    children = below if family in (Family.OBJECT, Family.NESTED) else ()
    problem = _conflict(by_index) or next(filter(None, map(_problem, definitions)), "")
    nested_below = _outermost_nested(fields[path] for path in children)
    sortable = not problem and family in _SORTABLE and all(map(_has_order, definitions))
    return Field(first.path, first.type, family, first.nested, keyword, problem, sortable, children, nested_below)


def _has_order(definition: _Definition) -> bool:
    # A document has many nested objects, and so no one value to stand in line by.
    return not definition.nested and definition.parameters.get("doc_values") is not False


def _keyword(definitions: list[_Definition], fields: Mapping[str, Field]) -> Field | None:
    # One index without the sub-field, and its documents would be missed.
    first = definitions[0].sub_fields
    shared = (fields[sub[0]] for sub in first if all(sub in other.sub_fields for other in definitions))
    return next((field for field in shared if field.type == "keyword" and not field.problem), None)


def _outermost_nested(children: Iterable[Field]) -> tuple[Field, ...]:
    below: list[Field] = []
    for child in children:
        below += [child] if child.family is Family.NESTED else child.nested_below
    return tuple(below)


def _conflict(by_index: Mapping[str, _Definition]) -> str:
    seen: dict[tuple[object, ...], tuple[str, str]] = {}
    for index, definition in by_index.items():
        target = definition.parameters.get("path") if definition.type == "alias" else None
        around = f" below {definition.nested[-1]}" if definition.nested else ""
        seen.setdefault((definition.type, definition.nested, target), (f"{definition.type}{around}", index))
    if len(seen) < 2:
        return ""
    places = " and ".join(f"{kind} in {index}" for kind, index in list(seen.values())[:2])
    return f"{quoted(next(iter(by_index.values())).path)} is {places}"


def _problem(definition: _Definition) -> str:
    path, kind, parameters = definition.path, definition.type, definition.parameters
    if kind == "alias":
        return f"{quoted(path)} is an alias of a field that does not exist"
    if kind not in FAMILIES:
        return f"{quoted(path)} is of type {kind}, which cannot be searched here"
    if kind in ("object", "nested"):
        return f"{quoted(path)} is stored without being indexed" if parameters.get("enabled") is False else ""
    if kind in _ALWAYS_SEARCHABLE or parameters.get("index") is not False:
        return ""
    if kind in ("text", "match_only_text") or parameters.get("doc_values") is False:
        return f"{quoted(path)} is stored without being indexed"
    return ""
