"""Changes of types: what a declaration would do, and doing it.

The rows that a new schema is checked against must not change meanwhile: each writer holds the type's row by ``FOR KEY
SHARE``, so that it waits for the change, as the change waits for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from itertools import islice
from typing import Any, TypedDict

import orjson
from django.db import transaction
from django.db.models import F

from gateway.http.deadline import time_left
from gateway.http.problems import Code, Problem, malformed
from gateway.inventory.catalogue import read_catalogue
from gateway.inventory.declarations import Catalogue, DeclaredType
from gateway.inventory.index_names import index_name, number_of
from gateway.inventory.json_schema import InvalidSchema
from gateway.inventory.mapping import only_adds
from gateway.inventory.models import Document, InventoryType
from gateway.inventory.preconditions import ABSENT, NONE, Preconditions, State
from gateway.inventory.references import missing_of, pointed, replace_all
from gateway.inventory.trees import MAX_NAMED, check_trees

_CHUNK = 1_000


class Outcome(StrEnum):
    """Result of a declaration."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Misfit(TypedDict):
    """A document that a schema does not allow, and the first place of it."""

    id: str
    pointer: str
    keyword: str
    detail: str


@dataclass
class TypeChange:
    """Result of a declaration, made or only planned.

    Attributes:
        rebuild: whether the index is made again.
        misfits: how many documents the schema does not allow.
        first_misfits: the first ``MAX_NAMED`` of them.
    """

    declared: DeclaredType
    outcome: Outcome
    rebuild: bool = False
    misfits: int = 0
    first_misfits: list[Misfit] = field(default_factory=list)

    def note(self, misfit: Misfit) -> None:
        """Note a document that does not fit."""
        self.misfits += 1
        if len(self.first_misfits) < MAX_NAMED:
            self.first_misfits.append(misfit)


def put_type(
    name: str,
    definition: Mapping[str, Any],
    *,
    accept_existing: bool,
    dry_run: bool = False,
    preconditions: Preconditions = NONE,
) -> TypeChange:
    """Declare a type, or declare it anew.

    Args:
        definition: all members of the declaration.
        accept_existing: let documents stay that the new schema does not allow; they must fit at their next write.
        dry_run: change nothing.

    Raises:
        Problem: 400, the declaration has a fault; 409, documents would not fit, or would be too large with those that
            they would embed; 412.
    """
    with transaction.atomic():
        row = InventoryType.objects.select_for_update().filter(name=name).first()
        catalogue = read_catalogue()
        old = catalogue.types.get(name)
        preconditions.check_declaration(ABSENT if old is None else State(old.schema_version, is_live=True))
        declared = DeclaredType(name, 1 if old is None else old.schema_version + 1, definition)
        after = catalogue.with_type(declared)
        try:
            after.check(declared)
        except InvalidSchema as error:
            raise malformed(str(error)) from None
        if row is None or old is None:
            if not dry_run:
                _create(declared)
            return TypeChange(declared, Outcome.CREATED)
        if old.definition == definition:
            return TypeChange(old, Outcome.UNCHANGED)
        # An index that was never made can be another one, as where its name is taken in Elasticsearch.
        is_unprepared = row.prepared is None and row.building_index is None
        _require_same_place(old, declared, ("parent",) if is_unprepared else ("index", "parent"))
        change = TypeChange(declared, Outcome.CHANGED, rebuild=_needs_rebuild(catalogue, after, name))
        if set(declared.embed) - set(old.embed):
            check_trees(declared)
            # The index has documents without what is below them, or in versions that do not count its changes.
            above = Document.objects.filter(type=name, tree_version__gt=F("version"))
            change.rebuild = change.rebuild or above.exists()
        if any(old.definition[member] != declared.definition[member] for member in ("schema", "key", "mapping")):
            _check_documents(change)
        if declared.references != old.references and not change.misfits:
            _check_references(change)
        if dry_run:
            return change
        if change.misfits and not accept_existing:
            raise _incompatible(change)
        now = datetime.now(UTC)
        row.definition, row.schema_version, row.updated_at = dict(definition), declared.schema_version, now
        if declared.index != old.index:
            row.index, row.physical_index = declared.index, _first_index(declared)
        elif change.rebuild:
            row.building_index = next_index(row)
        row.save()
        _rebuild_parent(catalogue, after, name)
        if declared.references != old.references:
            replace_all(declared)
        return change


def install(definitions: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Create those types that do not exist, all at once, so that they can name each other.

    Returns:
        their names.

    Raises:
        InvalidSchema: a declaration has a fault.
    """
    with transaction.atomic():
        catalogue = read_catalogue()
        new = {name: DeclaredType(name, 1, definitions[name]) for name in definitions if name not in catalogue.types}
        for declared in new.values():
            catalogue = catalogue.with_type(declared)
        for declared in new.values():
            catalogue.check(declared)
            _create(declared)
    return list(new)


def next_index(row: InventoryType) -> str:
    """The name of the next index of a type."""
    highest = max(number_of(row.physical_index), number_of(row.building_index or ""))
    return index_name(row.index, highest + 1)


def _first_index(declared: DeclaredType) -> str:
    return index_name(declared.index, 1)


def _create(declared: DeclaredType) -> None:
    now = datetime.now(UTC)
    InventoryType.objects.create(
        name=declared.name,
        definition=dict(declared.definition),
        schema_version=declared.schema_version,
        index=declared.index,
        physical_index=_first_index(declared),
        created_at=now,
        updated_at=now,
    )


def _require_same_place(old: DeclaredType, new: DeclaredType, members: Iterable[str]) -> None:
    for member in members:
        if old.definition[member] != new.definition[member]:
            raise Problem(
                HTTPStatus.CONFLICT,
                Code.SCHEMA_INCOMPATIBLE,
                f"{member}: The {member} of a type never changes; declare another type, and import the documents.",
            )


def _needs_rebuild(before: Catalogue, after: Catalogue, name: str) -> bool:
    return not only_adds(before.index_properties(before.types[name]), after.index_properties(after.types[name]))


def _rebuild_parent(before: Catalogue, after: Catalogue, name: str) -> None:
    """Have the index of the type above made again, if that embeds the type, and needs it."""
    parent = after.types[name].parent
    if parent is not None and name in after.types[parent].embed and _needs_rebuild(before, after, parent):
        above = InventoryType.objects.select_for_update().get(name=parent)
        InventoryType.objects.filter(name=parent).update(building_index=next_index(above))


def _check_documents(change: TypeChange) -> None:
    declared = change.declared
    documents = Document.objects.filter(type=declared.name, body__isnull=False).order_by("id")
    rows = documents.values_list("document_id", "body").iterator(_CHUNK)
    for number, (document_id, body) in enumerate(rows):
        if number % _CHUNK == 0:
            time_left(1.0)
        assert body is not None
        errors = declared.errors(document_id, orjson.loads(body))
        if errors:
            change.note(Misfit(id=document_id, **errors[0]))


def _check_references(change: TypeChange) -> None:
    """Note the documents that refer to some that are not there; those that are stay until the transaction ends."""
    declared = change.declared
    documents = Document.objects.filter(type=declared.name, body__isnull=False).order_by("id")
    rows = documents.values_list("document_id", "body").iterator(_CHUNK)
    while some := list(islice(rows, _CHUNK)):
        time_left(1.0)
        bodies = {document_id: orjson.loads(body or "null") for document_id, body in some}
        missing = missing_of(declared, bodies.values())
        for document_id, body in bodies.items():
            for pointer, name, target in pointed(declared, body):
                if (name, target) in missing:
                    detail = f'there is no {name} "{target[:128]}"'
                    change.note(Misfit(id=document_id, pointer=pointer, keyword="references", detail=detail))
                    break


def _incompatible(change: TypeChange) -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        Code.SCHEMA_INCOMPATIBLE,
        f"The schema does not allow {change.misfits:,} of the documents that are there; change it, or send "
        '"accept_existing": true, and they must fit at their next write.',
        members={"count": change.misfits, "documents": change.first_misfits},
    )
