"""Declarations of types: what one must be, and what the other rooms of the inventory read of it; no database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gateway.inventory.index_limits import IndexLimits
from gateway.inventory.json_schema import DocumentError, InvalidSchema, Validator
from gateway.inventory.mapping import Properties, check_given, index_properties, properties_of

MAX_TYPES = 200
MAX_LEVELS = 5
"""Types below one another."""
MAX_EMBEDDED = 10
MAX_REFERENCES = 20
RESERVED = frozenset(("import", "history", "restore"))
"""Neither a type nor a document is called so: each is a step of a path."""
DOCUMENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}")
POINTER = re.compile(r"(?:/(?:[^/~]|~[01])+){1,8}")


@dataclass(frozen=True)
class DeclaredType:
    """A type as it is declared.

    Attributes:
        schema_version: counts its declarations.
        definition: its declaration, with all members.
    """

    name: str
    schema_version: int
    definition: Mapping[str, Any]

    @property
    def index(self) -> str:
        """The alias of its index in Elasticsearch."""
        index: str = self.definition["index"]
        return index

    @property
    def key(self) -> str | None:
        """JSON pointer to the member that is a document's id."""
        key: str | None = self.definition["key"]
        return key

    @property
    def is_public(self) -> bool:
        """Whether anybody may read it."""
        return bool(self.definition["public"])

    @property
    def parent(self) -> str | None:
        """The type that its documents stand below."""
        parent: str | None = self.definition["parent"]
        return parent

    @property
    def embed(self) -> tuple[str, ...]:
        """The types below it whose documents are indexed with its own."""
        return tuple(self.definition["embed"])

    @property
    def references(self) -> Mapping[str, str]:
        """Types by the JSON pointers to members that hold ids of their documents."""
        references: dict[str, str] = self.definition["references"]
        return references

    @cached_property
    def validator(self) -> Validator:
        """The check of its documents."""
        return Validator(self.definition["schema"])

    @cached_property
    def properties(self) -> Properties:
        """The mapping of its documents."""
        given = self.definition["mapping"]
        return properties_of(self.definition["schema"]) if given is None else check_given(given)

    def errors(self, document_id: str, document: Any) -> list[DocumentError]:
        """Errors of a document: what its schema or its index refuses, and a key that is not its id."""
        errors = [] if self.validator.is_valid(document) else self.validator.errors(document)
        errors = errors or self._index_limits.errors(document)
        if self.key is not None and resolve(document, self.key) != document_id:
            detail = f'the key must be the document\'s id, "{document_id}"'
            errors.append(DocumentError(pointer=self.key, keyword="key", detail=detail))
        return errors

    @cached_property
    def _index_limits(self) -> IndexLimits:
        return IndexLimits(self.properties)


@dataclass(frozen=True)
class Catalogue:
    """All types, by name."""

    types: Mapping[str, DeclaredType]

    def children(self, name: str) -> tuple[DeclaredType, ...]:
        """The types whose documents stand below those of one."""
        return tuple(each for each in self.types.values() if each.parent == name)

    def lineage(self, declared: DeclaredType) -> list[DeclaredType]:
        """The types above one, the root's first."""
        above: list[DeclaredType] = []
        while declared.parent is not None:
            declared = self.types[declared.parent]
            above.insert(0, declared)
        return above

    def index_properties(self, declared: DeclaredType) -> Properties:
        """The mapping of a type's index, with what it embeds."""
        return index_properties(declared.properties, {name: self.types[name].properties for name in declared.embed})

    def with_type(self, declared: DeclaredType) -> "Catalogue":
        """The catalogue with one type added or replaced."""
        return Catalogue({**self.types, declared.name: declared})

    def check(self, declared: DeclaredType) -> None:
        """Check a type of the catalogue against the others.

        Raises:
            InvalidSchema: the declaration has a fault; says where.
        """
        # Compiled first: what its mapping is made of is then known to be a schema.
        _ = declared.validator
        if len(self.types) > MAX_TYPES:
            raise InvalidSchema(f"There are {MAX_TYPES} types, which is as many as there may be.")
        for other in self.types.values():
            if other.name != declared.name and other.index == declared.index:
                raise InvalidSchema(f'index: "{declared.index}" is the index of the type "{other.name}".')
        self._check_parents(declared)
        for name in declared.embed:
            if name not in self.types or self.types[name].parent != declared.name:
                raise InvalidSchema(f'embed: "{name[:100]}" is no type whose parent is "{declared.name}".')
            if name in declared.properties:
                raise InvalidSchema(f'embed: the documents of "{name}" and a member of the schema have one name.')
        for pointer, name in declared.references.items():
            if name not in self.types:
                raise InvalidSchema(f'references: "{name[:100]}", at {pointer[:100]}, is no type.')
        self.index_properties(declared)
        if declared.parent is not None and declared.name in self.types[declared.parent].embed:
            self.index_properties(self.types[declared.parent])

    def _check_parents(self, declared: DeclaredType) -> None:
        levels, above = 1, declared.parent
        while above is not None:
            if above not in self.types:
                raise InvalidSchema(f'parent: there is no type "{above[:100]}".')
            levels += 1
            if levels > MAX_LEVELS:
                raise InvalidSchema(
                    f"parent: more than {MAX_LEVELS} types would stand below one another, or in a circle."
                )
            above = self.types[above].parent


def resolve(document: Any, pointer: str) -> Any:
    """The value that a JSON pointer leads to in a document; None if it is missing.

    A step that is no member of an object leads nowhere.
    """
    for step in pointer.split("/")[1:]:
        if not isinstance(document, dict):
            return None
        document = document.get(step.replace("~1", "/").replace("~0", "~"))
    return document
