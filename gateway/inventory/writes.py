"""Writes of single documents: an operation each, in the transaction of its caller."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import orjson

from contracts.query_event.event import new_event_id
from gateway.http.problems import Code, Problem, malformed
from gateway.inventory.batch import Author, Batch, Written
from gateway.inventory.catalogue import read_catalogue
from gateway.inventory.declarations import DOCUMENT_ID, RESERVED, Catalogue, DeclaredType, resolve
from gateway.inventory.documents import check_values, merge_patch, require_object, text_of
from gateway.inventory.json_schema import MAX_ERRORS, DocumentError
from gateway.inventory.models import Change, Operation
from gateway.inventory.preconditions import ABSENT, CREATE, Preconditions, require_live


@dataclass(frozen=True, slots=True)
class Place:
    """Place of a document: its type and id, and the id of its parent where that is given."""

    catalogue: Catalogue
    declared: DeclaredType
    document_id: str
    parent_id: str | None = None


def find_place(name: str, document_id: str, above: tuple[str, str] | None = None) -> Place:
    """The place of a document, by the types as they are declared now.

    Args:
        name: of the type.
        above: type and id of the document that the path has above it.

    Raises:
        Problem: 404, there is no such type, or it does not stand below the other.
    """
    catalogue = read_catalogue()
    declared = catalogue.types.get(name)
    if declared is None:
        raise unknown_type(name)
    if above is not None and declared.parent != above[0]:
        raise Problem(
            HTTPStatus.NOT_FOUND, Code.NOT_FOUND, f'The type "{name}" does not stand below the type "{above[0][:128]}".'
        )
    return Place(catalogue, declared, document_id, None if above is None else above[1])


def unknown_type(name: str) -> Problem:
    """The problem of a type that does not exist."""
    return Problem(
        HTTPStatus.NOT_FOUND,
        Code.NOT_FOUND,
        f'There is no type "{name[:128]}"; GET /inventory-types has all, and PUT on that path declares one.',
    )


def put(place: Place, value: Any, preconditions: Preconditions, author: Author) -> Written:
    """Create a document, or replace it.

    Raises:
        Problem: the document is invalid, or a precondition or a limit does not hold.
    """
    check_id(place.catalogue, place.declared, place.document_id)
    document = require_object(value)
    batch = _batch(place, author)
    preconditions.check_put(batch.state(place.document_id))
    text = checked_text(place.declared, place.document_id, document)
    written = batch.store(place.document_id, document, text, Operation.REPLACE, place.parent_id)
    batch.flush()
    return written


def create(place: Place, value: Any, author: Author) -> Written:
    """Create a document under its key, or under a new id.

    Args:
        place: without an id.

    Raises:
        Problem: as ``put``; 412, there is a document of its key.
    """
    document = require_object(value)
    return put(replace(place, document_id=new_id(place.declared, document)), document, CREATE, author)


def patch(place: Place, value: Any, preconditions: Preconditions, author: Author) -> Written:
    """Apply a merge patch to a document that is there.

    Raises:
        Problem: as ``put``.
    """
    batch = _batch(place, author)
    _require_place(batch, place)
    preconditions.check_change(batch.state(place.document_id))
    document = require_object(merge_patch(batch.document(place.document_id), value))
    check_values(document)
    text = checked_text(place.declared, place.document_id, document)
    written = batch.store(place.document_id, document, text, Operation.PATCH, place.parent_id)
    batch.flush()
    return written


def delete(place: Place, preconditions: Preconditions, author: Author) -> Written:
    """Delete a document that is there.

    Raises:
        Problem: a precondition does not hold, or documents stand below it.
    """
    batch = _batch(place, author)
    _require_place(batch, place)
    preconditions.check_change(batch.state(place.document_id))
    written = batch.delete(place.document_id)
    batch.flush()
    return written


def erase(place: Place, author: Author) -> Written:
    """Delete a document that is there or was there, for good.

    Raises:
        Problem: 404, it never was; 409, documents stand below it, or refer to it.
    """
    batch = _batch(place, author)
    if batch.state(place.document_id).version == 0:
        require_live(ABSENT)
    written = batch.delete(place.document_id, Operation.ERASE)
    batch.flush()
    return written


def restore(place: Place, version: int, preconditions: Preconditions, author: Author) -> Written:
    """Write a version of a document again, as a new one.

    Raises:
        Problem: 404, the history has no such version, or the document was deleted in it; else as ``put``.
    """
    batch = _batch(place, author)
    state = batch.state(place.document_id)
    if state.is_live:
        preconditions.check_change(state)
    elif state.version == 0:
        require_live(state)
    change = Change.objects.filter(type=place.declared.name, document_id=place.document_id, version=version).first()
    if change is None or change.body is None:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            Code.NOT_FOUND,
            f"The document has no version {version} that could be restored; its history has all versions.",
        )
    document = orjson.loads(change.body)
    text = checked_text(place.declared, place.document_id, document)
    written = batch.store(place.document_id, document, text, Operation.RESTORE)
    batch.flush()
    return written


def new_id(declared: DeclaredType, document: Any) -> str:
    """The id of a new document: its key, or a UUIDv7 where its type has none.

    Raises:
        Problem: 422, the key is missing.
    """
    if declared.key is None:
        return new_event_id()
    key = resolve(document, declared.key)
    if not isinstance(key, str):
        detail = "the key of the document is missing, or is no string"
        raise invalid([DocumentError(pointer=declared.key, keyword="key", detail=detail)])
    return key


def check_id(catalogue: Catalogue, declared: DeclaredType, document_id: str) -> None:
    """Refuse an id that no document may have.

    Raises:
        Problem: 400.
    """
    if not DOCUMENT_ID.fullmatch(document_id):
        raise malformed(
            "An id begins with a letter or digit, and has at most 128 letters, digits and . _ : @ ~ - in it."
        )
    if document_id in RESERVED or document_id in {child.name for child in catalogue.children(declared.name)}:
        raise malformed(f'No document of this type can have the id "{document_id}", which is part of a path.')


def checked_text(declared: DeclaredType, document_id: str, document: dict[str, Any]) -> bytes:
    """Check a document against its type, and write it.

    Raises:
        Problem: 422, it is invalid; 413, it is too long.
    """
    errors = declared.errors(document_id, document)
    for name in document:
        if name.startswith("_"):
            detail = "no member of a document begins with an underscore"
            errors.append(DocumentError(pointer=f"/{name[:100]}", keyword="propertyNames", detail=detail))
    if errors:
        raise invalid(errors[:MAX_ERRORS])
    return text_of(document)


def invalid(errors: list[DocumentError]) -> Problem:
    """The problem of an invalid document."""
    first = errors[0]
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        Code.DOCUMENT_INVALID,
        f"The document is invalid at {first['pointer'] or '/'}: {first['detail']}.",
        members={"errors": errors},
    )


def _batch(place: Place, author: Author) -> Batch:
    return Batch(place.catalogue, place.declared, author, [(place.document_id, place.parent_id)])


def _require_place(batch: Batch, place: Place) -> None:
    """Refuse to change a document at the path of another parent."""
    if place.parent_id is not None and batch.parent_of(place.document_id) != place.parent_id:
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "There is no document of this id.")
