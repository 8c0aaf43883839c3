"""References between documents: which document names which other, so that none is deleted that others refer to.

Why locks: a writer holds what its document refers to by ``FOR SHARE``, and a deletion holds its document by ``FOR NO
KEY UPDATE``. So whichever comes second waits, and then sees what the first has done. SQLite has one writer at a time.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import orjson
from django.db import connection

from gateway.inventory.declarations import DOCUMENT_ID, DeclaredType, resolve
from gateway.inventory.models import Document, Reference

_CHUNK = 1_000

Name = tuple[str, str]
"""Type and id of a document."""


def references_of(declared: DeclaredType, document: Mapping[str, Any]) -> frozenset[Name]:
    """The documents that a document refers to."""
    return frozenset((name, document_id) for _, name, document_id in pointed(declared, document))


def pointed(declared: DeclaredType, document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """References of a document: of each the pointer to its member, the type and the id."""
    for pointer, name in declared.references.items():
        value = resolve(document, pointer)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str):
                yield pointer, name, each


def missing_of(declared: DeclaredType, documents: Iterable[Mapping[str, Any]]) -> set[Name]:
    """Missing documents that others refer to; those that exist are kept from being deleted, as by ``hold``."""
    wanted = {name for document in documents for name in references_of(declared, document)}
    for type_ in sorted({name for name, _ in wanted}):
        ids = sorted(document_id for name, document_id in wanted if name == type_)
        for start in range(0, len(ids), _CHUNK):
            wanted -= {(type_, each) for each in hold(type_, ids[start : start + _CHUNK])}
    return wanted


def hold(name: str, ids: Collection[str]) -> set[str]:
    """Keep documents of a type from being deleted until the transaction ends.

    Returns:
        the ids of those that are there.
    """
    ids = sorted(filter(DOCUMENT_ID.fullmatch, ids))
    if not ids:
        return set()
    places = ", ".join(["%s"] * len(ids))
    statement = (
        f"SELECT document_id FROM {Document._meta.db_table} "
        f"WHERE type = %s AND document_id IN ({places}) AND body IS NOT NULL ORDER BY document_id"
    )
    with connection.cursor() as cursor:
        # Names of our own and places for values are all that it is made of.
        cursor.execute(statement + (" FOR SHARE" if connection.vendor == "postgresql" else ""), [name, *ids])
        return {document_id for (document_id,) in cursor.fetchall()}


def referrers(name: str, document_id: str) -> set[Name]:
    """The documents that refer to one of a type."""
    rows = Reference.objects.filter(target_type=name, target_id=document_id)
    return set(rows.values_list("type", "document_id"))


def replace(name: str, references: Mapping[str, Collection[Name]]) -> None:
    """Write what documents of a type refer to, by their ids."""
    Reference.objects.filter(type=name, document_id__in=references).delete()
    _insert((name, document_id, *target) for document_id, targets in references.items() for target in targets)


def replace_all(declared: DeclaredType) -> None:
    """Write what all documents of a type refer to, as it is declared."""
    Reference.objects.filter(type=declared.name).delete()
    documents = Document.objects.filter(type=declared.name, body__isnull=False).values_list("document_id", "body")
    _insert(
        (declared.name, document_id, *target)
        for document_id, body in documents.iterator(_CHUNK)
        for target in references_of(declared, orjson.loads(body or "null"))
        if DOCUMENT_ID.fullmatch(target[1])
    )


def _insert(rows: Iterable[tuple[str, str, str, str]]) -> None:
    Reference.objects.bulk_create(
        (
            Reference(type=name, document_id=document_id, target_type=target_type, target_id=target_id)
            for name, document_id, target_type, target_id in rows
        ),
        batch_size=_CHUNK,
    )
