"""Elasticsearch mappings made from JSON Schemas; pure.

    string                          keyword; date for "date-time" and "date", ip for "ipv4" and "ipv6"
    integer, number, boolean        long, double, boolean
    object with properties          object, which must be closed: {"additionalProperties": false}
    object with values of strings   flattened
    array                           as its items; nested, if these are objects

Why an object must be closed: the mapping is strict, so a member without a place in it would be accepted by the schema
and refused by the index.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.inventory.json_schema import InvalidSchema, escape, referenced

MAX_FIELDS = 1_000
"""Elasticsearch's ``index.mapping.total_fields.limit``."""
MAX_NESTED = 50
"""Nested fields; Elasticsearch's ``index.mapping.nested_fields.limit`` is not lower in any version."""
MAX_LEVELS = 20
"""Elasticsearch's ``index.mapping.depth.limit``."""
KEYWORD_CHARACTERS = 8_191
"""A longer text is not indexed: in UTF-8 it may be over Lucene's 32,766 bytes."""

Properties = dict[str, Any]

_TYPES = frozenset(
    ("boolean", "byte", "date", "double", "flattened", "float", "integer", "ip", "keyword", "long", "nested", "object")
    + ("short", "text", "version", "wildcard")
)
_PARAMETERS = ("fields", "ignore_above", "ignore_malformed", "index", "properties", "type")
"""Of a field in a mapping that is given."""
_FORMATS = {"date": "date", "date-time": "date", "ipv4": "ip", "ipv6": "ip"}
_SCALARS = {"integer": "long", "number": "double", "boolean": "boolean"}
_BRANCHES = ("allOf", "anyOf", "oneOf")
_CONDITIONS = ("then", "else")


def properties_of(schema: dict[str, Any]) -> Properties:
    """The properties of the mapping for documents that a schema allows.

    Args:
        schema: one that ``Validator`` accepts.

    Raises:
        InvalidSchema: no mapping fits it; names the path in the document.
    """
    found = _map(schema, [schema], "")
    if "properties" not in found:
        raise InvalidSchema('The schema at / must be that of an object with "properties".')
    return check_size(found["properties"])


def check_given(mapping: Any) -> Properties:
    """The properties of a mapping that an administrator has given: ``{"properties": {…}}``.

    Raises:
        InvalidSchema: Elasticsearch would not take it, or it is not strict; names the field.
    """
    if not isinstance(mapping, dict) or mapping.keys() != {"properties"}:
        raise InvalidSchema('mapping: send an object with the member "properties" alone.')
    _check_fields(mapping["properties"], "")
    return check_size(mapping["properties"])


def _check_fields(properties: Any, path: str) -> None:
    if not isinstance(properties, dict) or not properties:
        raise InvalidSchema(f"mapping: the properties of {_named(path)} must be an object with fields.")
    for name, mapping in properties.items():
        place = _member(path, name)
        if not isinstance(mapping, dict):
            raise InvalidSchema(f"mapping: the field {place} must be an object.")
        kind = mapping.get("type", "object")
        if not isinstance(kind, str) or kind not in _TYPES:
            raise InvalidSchema(f"mapping: the field {place} has no type of these: {', '.join(sorted(_TYPES))}.")
        unknown = sorted(mapping.keys() - set(_PARAMETERS))
        if unknown:
            raise InvalidSchema(
                f"mapping: the field {place} has the parameter {unknown[0][:100]}; there are {', '.join(_PARAMETERS)}."
            )
        if kind in ("object", "nested"):
            _check_fields(mapping.get("properties"), place)
        elif "properties" in mapping:
            raise InvalidSchema(f"mapping: the field {place} is of the type {kind}, which has no properties.")
        if "fields" in mapping:
            _check_fields(mapping["fields"], place)


def check_size(properties: Properties) -> Properties:
    """Return the properties of a mapping that Elasticsearch takes.

    Raises:
        InvalidSchema: they are too many, or too deep.
    """
    fields = list(_fields(properties, 1))
    if len(fields) > MAX_FIELDS:
        raise InvalidSchema(f"The mapping has {len(fields):,} fields; there may be {MAX_FIELDS:,}.")
    if sum(mapping.get("type") == "nested" for mapping, _ in fields) > MAX_NESTED:
        raise InvalidSchema(f"The mapping has more than {MAX_NESTED} nested fields (arrays of objects).")
    if any(level > MAX_LEVELS for _, level in fields):
        raise InvalidSchema(f"The mapping has more than {MAX_LEVELS} levels.")
    return properties


def index_properties(own: Properties, embedded: Mapping[str, Properties]) -> Properties:
    """The properties of a type's index.

    Args:
        own: those of the type's documents.
        embedded: those of the types that it embeds, by name; the documents of each are nested members.

    Raises:
        InvalidSchema: they are too many, or too deep.
    """
    nested = {name: {"type": "nested", "properties": properties} for name, properties in embedded.items()}
    return check_size(own | nested)


def only_adds(old: Properties, new: Properties) -> bool:
    """Whether the new properties are the old ones and perhaps more, which an index takes without being made again."""
    return all(name in new and _extends(mapping, new[name]) for name, mapping in old.items())


def _extends(old: Any, new: Any) -> bool:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return bool(old == new)
    parts = ("properties", "fields")
    rest = [{name: value for name, value in each.items() if name not in parts} for each in (old, new)]
    return rest[0] == rest[1] and all(only_adds(old.get(part, {}), new.get(part, {})) for part in parts)


def _fields(properties: Properties, level: int) -> Iterator[tuple[dict[str, Any], int]]:
    for mapping in properties.values():
        yield mapping, level
        for part in ("properties", "fields"):
            yield from _fields(mapping.get(part, {}), level + 1)


def _map(root: dict[str, Any], schemas: list[dict[str, Any]], path: str) -> dict[str, Any]:
    """The mapping of what all of some schemas say about one path."""
    facets = [facet for schema in schemas for facet in _facets(root, schema, path)]
    kinds = {kind for facet in facets for kind in _kinds(facet, path)}
    if kinds == {"array"}:
        return _of_array(root, facets, path)
    if kinds == {"object"}:
        return _of_object(root, facets, path)
    mapped = [_of_scalar(kind) for kind in sorted(kinds)]
    if not mapped:
        raise InvalidSchema(f'The schema gives {_named(path)} no type, which the index needs: add "type".')
    if any(each != mapped[0] for each in mapped):
        raise InvalidSchema(
            f"The schema gives {_named(path)} two types, {' and '.join(sorted(kinds))}; an index has one."
        )
    return mapped[0]


def _named(path: str) -> str:
    return path or "/"


def _facets(root: dict[str, Any], schema: Any, path: str) -> Iterator[dict[str, Any]]:
    """A schema and all that it may apply to the same place: references, branches, conditions."""
    if not isinstance(schema, dict):
        return
    yield schema
    if "$ref" in schema:
        yield from _facets(root, referenced(root, schema["$ref"], path), path)
    for keyword in _BRANCHES:
        for branch in schema.get(keyword, ()):
            yield from _facets(root, branch, path)
    for keyword in _CONDITIONS:
        if keyword in schema:
            yield from _facets(root, schema[keyword], path)
    for dependent in schema.get("dependentSchemas", {}).values():
        yield from _facets(root, dependent, path)


def _kinds(facet: dict[str, Any], path: str) -> set[str]:
    """The types that a facet names, or shows by its values; a format makes one of its own of a string."""
    named = facet.get("type", [])
    kinds = set([named] if isinstance(named, str) else named)
    values = facet.get("enum", []) + ([facet["const"]] if "const" in facet else [])
    if not kinds:
        kinds = {_kind_of(value, path) for value in values}
    if "string" in kinds and facet.get("format") in _FORMATS:
        kinds = kinds - {"string"} | {_FORMATS[facet["format"]]}
    return kinds - {"null"}


def _kind_of(value: Any, path: str) -> str:
    if value is None:
        return "null"
    for kind, types in (("boolean", bool), ("string", str), ("integer", int), ("number", float)):
        if isinstance(value, types):
            return kind
    raise InvalidSchema(f'The schema gives {_named(path)} values that are lists or objects; add "type".')


def _of_scalar(kind: str) -> dict[str, Any]:
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if kind in _FORMATS.values():
        return {"type": kind}
    if kind != "string":
        return {"type": kind}  # an array or an object beside another type
    return {"type": "keyword", "ignore_above": KEYWORD_CHARACTERS}


def _of_array(root: dict[str, Any], facets: list[dict[str, Any]], path: str) -> dict[str, Any]:
    items = [facet["items"] for facet in facets if isinstance(facet.get("items"), dict)]
    items += [each for facet in facets for each in facet.get("prefixItems", ())]
    if not items:
        raise InvalidSchema(f'The schema gives the items of {_named(path)} no type: add "items".')
    mapped = _map(root, items, f"{path}/*")
    return {"type": "nested"} | mapped if "properties" in mapped and "type" not in mapped else mapped


def _of_object(root: dict[str, Any], facets: list[dict[str, Any]], path: str) -> dict[str, Any]:
    members: dict[str, list[dict[str, Any]]] = {}
    for facet in facets:
        for name, schema in facet.get("properties", {}).items():
            if schema is not False:
                members.setdefault(name, []).append(schema)
    others = [facet["additionalProperties"] for facet in facets if "additionalProperties" in facet]
    others += [facet["unevaluatedProperties"] for facet in facets if "unevaluatedProperties" in facet]
    others += [each for facet in facets for each in facet.get("patternProperties", {}).values()]
    if members:
        if not others or any(each is not False for each in others):
            raise InvalidSchema(
                f'The object at {_named(path)} must be closed by "additionalProperties": false '
                '(or "unevaluatedProperties": false), and have no "patternProperties": an index has each field by name.'
            )
        return {"properties": {name: _map(root, found, _member(path, name)) for name, found in members.items()}}
    values = [each for each in others if each is not False]
    if values and all(isinstance(each, dict) for each in values):
        mapped = _map(root, values, f"{path}/*")
        if mapped.get("type") in ("keyword", "date", "ip"):
            return {"type": "flattened", "ignore_above": KEYWORD_CHARACTERS}
    raise InvalidSchema(
        f'The object at {_named(path)} must have "properties", or strings as its values '
        '("additionalProperties": {"type": "string"}).'
    )


def _member(path: str, name: str) -> str:
    if "." in name or not name.strip() or (not path and name.startswith("_")):
        where = f"{path}/{escape(name)}"
        raise InvalidSchema(
            f'The member {where[:200]} has a name that no field may have: it is empty, has a dot, or begins with "_".'
        )
    return f"{path}/{escape(name)}"
