"""JSON Schemas of types: what is accepted as one, and the check of documents against it.

Why no ``$id``, ``$anchor`` or ``$dynamicRef``: a reference is then always a JSON pointer into the schema itself, so
that nothing is ever fetched, the mapping can follow it, and one that leads back to itself can be refused. A schema that
refers to one part twice, and that to another twice, would double the work of each check with every level: so the
subschemas are counted as often as they are referred to.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TypedDict

import jsonschema_rs

MAX_SUBSCHEMAS = 10_000
"""Subschemas that a check can go through, each as often as it is referred to."""
MAX_REFERENCES = 32
"""References that lead to one another."""
MAX_ERRORS = 20
MAX_ERROR_CHARACTERS = 300
_MAX_DESCRIBED = 20_000
"""Alternatives that may be described for one document."""
_PATTERN_BYTES = 1024 * 1024
"""Of a compiled pattern."""
_VALUE = "the value"
"""Stands for the value in messages, which go on the audit trail."""

_ONE = (
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("dependentSchemas", "patternProperties", "properties")
_REFUSED = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef")
_DRAFT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any] | bool


class InvalidSchema(ValueError):
    """The schema cannot be a type's; the message says why, and at which JSON pointer."""


class DocumentError(TypedDict):
    """A place of a document that its type's schema does not allow."""

    pointer: str
    keyword: str
    detail: str


class Validator:
    """Check of documents against one schema.

    Raises:
        InvalidSchema: it is no JSON Schema of draft 2020-12, refers to something outside itself or to itself, has a
            pattern that takes more than linear time, or is too large.
    """

    def __init__(self, schema: Any) -> None:
        if not isinstance(schema, dict):
            raise InvalidSchema("The schema must be a JSON object.")
        if schema.get("$schema", _DRAFT) != _DRAFT:
            raise InvalidSchema(f'The schema at /$schema must be "{_DRAFT}", or be left out.')
        _count(schema, schema, "", ())
        self._alternatives = _alternatives(schema, schema)
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                schema,
                validate_formats=True,
                ignore_unknown_formats=False,
                pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES),
                offline=True,
                mask=_VALUE,
            )
        except (jsonschema_rs.ValidationError, ValueError) as error:
            raise InvalidSchema(_described(error)) from None

    def is_valid(self, document: Any) -> bool:
        """Whether the schema allows the document."""
        return self._validator.is_valid(document)

    def errors(self, document: Any) -> list[DocumentError]:
        """The first ``MAX_ERRORS`` places that the schema does not allow; of many alternatives the first alone.

        The library describes every error with every alternative before it gives out the first: a thousand members that
        fit none of three thousand would take a minute.
        """
        if self._alternatives * _values(document) <= _MAX_DESCRIBED:
            return [_error(each) for each in islice(self._validator.iter_errors(document), MAX_ERRORS)]
        try:
            self._validator.validate(document)
        except jsonschema_rs.ValidationError as error:
            return [_error(error)]
        return []


def _error(error: jsonschema_rs.ValidationError) -> DocumentError:
    return DocumentError(
        pointer=pointer_of(error.instance_path),
        keyword=error.kind.name,
        detail=error.message[:MAX_ERROR_CHARACTERS],
    )


def _values(document: Any) -> int:
    """Count a value, and those within it."""
    if isinstance(document, dict):
        return 1 + sum(map(_values, document.values()))
    return 1 + sum(map(_values, document)) if isinstance(document, list) else 1


def pointer_of(path: Sequence[str | int]) -> str:
    """Write a path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{escape(str(step))}" for step in path)


def escape(name: str) -> str:
    """Write a member's name as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def referenced(root: dict[str, Any], reference: Any, at: str) -> Any:
    """The subschema that a ``$ref`` leads to.

    Raises:
        InvalidSchema: it leads out of the schema, or nowhere.
    """
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        raise InvalidSchema(f'The reference at {at or "/"} must begin with "#/": nothing outside the schema is read.')
    found: Any = root
    for step in reference.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise InvalidSchema(f"The reference at {at or '/'} leads nowhere: {reference[:100]}.")
    return found


def _count(root: dict[str, Any], schema: Any, at: str, within: tuple[str, ...]) -> int:
    """Count the subschemas below, and refuse what no schema may have."""
    if not isinstance(schema, dict):
        return 1
    for keyword in _REFUSED:
        if keyword in schema:
            raise InvalidSchema(f'The keyword "{keyword}" at {at or "/"} is not supported; use $ref with a pointer.')
    count = 1
    for place, inner in _inner(schema, at):
        count += _count(root, inner, place, within)
    if "$ref" in schema:
        reference = schema["$ref"]
        target = referenced(root, reference, at)
        if reference in within:
            raise InvalidSchema(f"The reference at {at or '/'} leads back to itself.")
        if len(within) >= MAX_REFERENCES:
            raise InvalidSchema(f"The reference at {at or '/'} is the end of more than {MAX_REFERENCES} in a row.")
        count += _count(root, target, at, (*within, reference))
    if count > MAX_SUBSCHEMAS:
        raise InvalidSchema(f"The schema at {at or '/'} has more than {MAX_SUBSCHEMAS:,} subschemas.")
    return count


def _alternatives(root: dict[str, Any], schema: Any) -> int:
    """Count the alternatives below, of a schema that has been counted."""
    if not isinstance(schema, dict):
        return 0
    found = sum(len(schema[keyword]) for keyword in ("anyOf", "oneOf") if isinstance(schema.get(keyword), list))
    found += sum(_alternatives(root, inner) for _, inner in _inner(schema, ""))
    return found + (_alternatives(root, referenced(root, schema["$ref"], "")) if "$ref" in schema else 0)


def _inner(schema: dict[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    """The subschemas of a schema, each with its place; definitions only count where they are referred to."""
    for keyword in _ONE:
        if keyword in schema:
            yield f"{at}/{keyword}", schema[keyword]
    for keyword in _MANY:
        members = schema.get(keyword)
        if isinstance(members, list):
            yield from ((f"{at}/{keyword}/{number}", member) for number, member in enumerate(members))
    for keyword in _NAMED:
        named = schema.get(keyword)
        if isinstance(named, dict):
            yield from ((f"{at}/{keyword}/{escape(name)}", member) for name, member in named.items())


def _described(error: Exception) -> str:
    if isinstance(error, jsonschema_rs.ValidationError):
        where = pointer_of(error.instance_path) or "/"
        return f"The schema is invalid at {where}: {error.message[:MAX_ERROR_CHARACTERS]}."
    return f"The schema is invalid: {str(error)[:MAX_ERROR_CHARACTERS]}."
