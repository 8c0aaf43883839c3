"""Comparison of the database with an index, document by document, and snapshots for what differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from contracts.query_event.event import rfc3339
from gateway.inventory.indices import Indices
from gateway.inventory.models import Document
from gateway.inventory.relay.composition import (
    Composed,
    TypeIndices,
    ancestors,
    snapshot,
    snapshot_message,
    stored,
)

_CHUNK = 1_000
_TREES = 16
"""Documents at once of a type that embeds others, each up to a mebibyte."""


@dataclass(slots=True)
class Difference:
    """Documents that an index lacks, has in an older version, or has although they are deleted; and those ahead.

    ``wanted`` has the version of each in the database, by primary key. ``ahead`` counts documents that the index has in
    a version that the database never gave: such an index is made again.
    """

    wanted: dict[int, int] = field(default_factory=dict)
    ahead: list[str] = field(default_factory=list)


def compare(type_indices: TypeIndices, indices: Indices, index: str) -> Iterator[Difference]:
    """Compare all documents of a type with an index, a part at a time.

    Writes may go on meanwhile: an index that is ahead of a row that was read before is not ahead of the database.
    """
    declared = type_indices.declared
    last = 0
    rows = Document.objects.filter(type=declared.name).order_by("pk")
    while part := _read(rows.filter(pk__gt=last)[:_CHUNK], embeds=bool(declared.embed)):
        last = part[-1].pk
        yield _difference(type_indices, indices, index, part)
    for found in indices.ids(index):
        names = [document_id for document_id, _ in found]
        known = set(
            Document.objects.filter(type=declared.name, document_id__in=names).values_list("document_id", flat=True)
        )
        yield Difference(ahead=[name for name in names if name not in known])


class _Row(NamedTuple):
    """A document as it is compared."""

    pk: int
    document_id: str
    version: int
    is_live: bool


def _read(rows: QuerySet[Document], *, embeds: bool) -> list[_Row]:
    is_live = ExpressionWrapper(Q(body__isnull=False), output_field=BooleanField())
    version = "tree_version" if embeds else "version"
    return [_Row(*row) for row in rows.annotate(is_live=is_live).values_list("pk", "document_id", version, "is_live")]


def _difference(type_indices: TypeIndices, indices: Indices, index: str, rows: list[_Row]) -> Difference:
    found = indices.versions(index, [row.document_id for row in rows])
    wanted = {row.pk: row.version for row in rows if not _is_right(row, found.get(row.document_id))}
    suspects = {row.pk: found[row.document_id] for row in rows if found.get(row.document_id, 0) > row.version}
    return Difference(wanted, _ahead(type_indices, suspects))


def _is_right(row: _Row, there: int | None) -> bool:
    """Whether the index has a document in its version or a later one, or lacks it if it is deleted."""
    if row.is_live:
        return there is not None and there >= row.version
    return there is None or there > row.version


def _ahead(type_indices: TypeIndices, suspects: Mapping[int, int]) -> list[str]:
    """Documents of which an index has a later version than the database, also when that is read again."""
    if not suspects:
        return []
    rows = Document.objects.filter(pk__in=suspects).values_list("pk", "document_id", "version", "tree_version")
    embeds = bool(type_indices.declared.embed)
    return [name for pk, name, version, tree in rows if suspects[pk] > (tree if embeds else version)]


def remaining(type_indices: TypeIndices, indices: Indices, index: str, wanted: Mapping[int, int]) -> dict[str, int]:
    """Documents that still differ: by id the versions that were wanted when they did first."""
    left: dict[str, int] = {}
    keys = sorted(wanted)
    for start in range(0, len(keys), _CHUNK):
        part = Document.objects.filter(pk__in=keys[start : start + _CHUNK])
        rows = [row._replace(version=wanted[row.pk]) for row in _read(part, embeds=bool(type_indices.declared.embed))]
        found = indices.versions(index, [row.document_id for row in rows])
        left |= {row.document_id: row.version for row in rows if not _is_right(row, found.get(row.document_id))}
    return left


def snapshots(type_indices: TypeIndices, index: str, wanted: Mapping[int, int]) -> Iterator[list[Composed]]:
    """Messages of documents as they are now, for one index, some at a time."""
    declared = type_indices.declared
    size = _TREES if declared.embed else _CHUNK // 4
    keys = sorted(wanted)
    for start in range(0, len(keys), size):
        with snapshot():
            rows = list(Document.objects.filter(pk__in=keys[start : start + size]).order_by("pk"))
            documents = stored(declared, rows)
            above = ancestors({(row.type, row.document_id) for row in rows}) if declared.parent else {}
        at = rfc3339(datetime.now(UTC))
        yield [
            snapshot_message(row, (above.get(document.name) or [document.name])[-1], document, index, at)
            for row, document in zip(rows, documents, strict=True)
        ]
