"""Messages of changes: what each has changed, and what Elasticsearch shall hold because of it."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from msgspec import Raw

from contracts.inventory_change.change import (
    SCHEMA_VERSION,
    SNAPSHOT,
    IndexedDocument,
    InventoryChange,
    record_key,
)
from contracts.query_event import event as audit
from contracts.query_event.event import AuditEvent, EventData, EventMetadata, EventTarget, EventType, rfc3339
from contracts.raw_json import NULL
from gateway.inventory.catalogue import read_catalogue
from gateway.inventory.declarations import Catalogue, DeclaredType
from gateway.inventory.models import Change, Document, InventoryType, RelayState

_MAX_TARGETS = 100
"""Pointers that an audit event names."""
_CHUNK = 100
_MAX_BODY_BYTES = 8 * 1024 * 1024
_MAX_EMBEDDING = 64
"""Of a batch, which is held in memory: the bodies of its changes, and the trees of up to a mebibyte beside them."""

DocumentName = tuple[str, str]
"""Type and id of a document."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A change to publish: the message, its key, and its audit event (None for a snapshot)."""

    key: str
    change: InventoryChange
    event: AuditEvent | None


@dataclass(frozen=True, slots=True)
class TypeIndices:
    """A type, and the indices that hold its documents: the one that is searched, and the one that a rebuild fills.

    ``prepared`` says for what they have been prepared.
    """

    declared: DeclaredType
    physical: str
    building: str | None
    prepared: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the indices."""
        return (self.physical,) if self.building is None else (self.physical, self.building)


@dataclass(frozen=True, slots=True)
class IndexedTypes:
    """All types as they are declared, with their indices."""

    catalogue: Catalogue
    indices: Mapping[str, TypeIndices]

    @classmethod
    def read(cls) -> "IndexedTypes":
        """Read them."""
        rows = InventoryType.objects.values_list("name", "physical_index", "building_index", "prepared")
        catalogue = read_catalogue()
        indices = {
            name: TypeIndices(catalogue.types[name], physical, building, prepared)
            for name, physical, building, prepared in rows
        }
        return cls(catalogue, indices)


class _Change(NamedTuple):
    """A change as it is read: models, and Django's reading of JSON, take several times as long."""

    feed: int
    change_id: uuid.UUID
    root_type: str
    root_id: str
    type: str
    document_id: str
    op: str
    version: int
    at: datetime
    actor: str | None
    request_id: str
    body: str | None
    event_metadata: str
    changed: str


_COLUMNS: tuple[str | Combinable, ...] = (
    *_Change._fields[:-2],
    *(Cast(name, TextField()) for name in _Change._fields[-2:]),
)


@dataclass(frozen=True, slots=True)
class ComposedBatch:
    """Changes to publish, in the order of their numbers, and the types as they were then."""

    messages: list[Composed]
    types: IndexedTypes


def read_batch(limit: int) -> ComposedBatch:
    """Compose the changes behind the cursor, of one snapshot of the database.

    A document that embeds others is composed as it is now, and comes with the first change of the batch that concerns
    it: so the change is in the index once its record is.
    """
    with snapshot():
        published = RelayState.objects.values_list("last_feed", flat=True).get(pk=1)
        changes = _within(Change.objects.filter(feed__gt=published).order_by("feed")[:limit])
        if not changes:
            return ComposedBatch([], IndexedTypes(Catalogue({}), {}))
        types = IndexedTypes.read()
        lineages = _lineages(types, changes)
        embedding: set[DocumentName] = set()
        for number, lineage in enumerate(lineages):
            if number and len(embedding.union(lineage)) > _MAX_EMBEDDING:
                changes, lineages = changes[:number], lineages[:number]
                break
            embedding.update(lineage)
        composed = compose_documents(types.catalogue, embedding)
    messages = []
    for change, lineage in zip(changes, lineages, strict=True):
        documents = _own(types.indices[change.type], change)
        for name in lineage:
            document = composed.pop(name, None)
            if document is not None:
                documents += document.entries(types.indices[name[0]].names)
        messages.append(_composed(change, documents))
    return ComposedBatch(messages, types)


def _within(changes: QuerySet[Change]) -> list[_Change]:
    """The first changes, as far as their bodies fit into memory; one at least, if there is any."""
    found: list[_Change] = []
    length = 0
    for row in changes.values_list(*_COLUMNS).iterator(_CHUNK):
        change = _Change(*row)
        found.append(change)
        length += len(change.body or "")
        if length > _MAX_BODY_BYTES:
            break
    return found


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as its index shall hold it: in this version; None: deleted."""

    name: DocumentName
    version: int
    body: bytes | None

    def entries(self, indices: Iterable[str]) -> list[IndexedDocument]:
        """The document in each of the indices."""
        body = NULL if self.body is None else Raw(self.body)
        return [IndexedDocument(index, self.name[1], self.version, body) for index in indices]


def compose_documents(catalogue: Catalogue, names: Iterable[DocumentName]) -> dict[DocumentName, StoredDocument]:
    """The documents as their indices shall hold them now, with those that they embed.

    The caller reads one snapshot of the database.
    """
    by_type: dict[str, list[str]] = {}
    for type_, document_id in names:
        by_type.setdefault(type_, []).append(document_id)
    found: dict[DocumentName, StoredDocument] = {}
    for type_, ids in by_type.items():
        rows = list(Document.objects.filter(type=type_, document_id__in=ids))
        found |= {each.name: each for each in stored(catalogue.types[type_], rows)}
    return found


def stored(declared: DeclaredType, rows: Sequence[Document]) -> list[StoredDocument]:
    """Rows of one type as their index shall hold them."""
    embedded = _embedded(declared, rows) if declared.embed else {}
    return [
        StoredDocument(
            (row.type, row.document_id),
            row.tree_version if declared.embed else row.version,
            None if row.body is None else _with(row.body.encode(), embedded.get(row.pk, {})),
        )
        for row in rows
    ]


def _embedded(declared: DeclaredType, rows: Sequence[Document]) -> dict[int, dict[str, list[bytes]]]:
    """The documents that others embed: by row, by type, in the order of their ids."""
    below = Document.objects.filter(parent__in=[row.pk for row in rows], type__in=declared.embed, body__isnull=False)
    found: dict[int, dict[str, list[bytes]]] = {}
    for parent, type_, body in below.order_by("document_id").values_list("parent_id", "type", "body"):
        found.setdefault(parent, {}).setdefault(type_, []).append((body or "").encode())
    return found


def _with(body: bytes, embedded: Mapping[str, Sequence[bytes]]) -> bytes:
    """A document with others as members."""
    members = [orjson.dumps(name) + b":[" + b",".join(each) + b"]" for name, each in embedded.items()]
    own = body.rstrip()[:-1]
    return (own + b"," if own.strip() != b"{" else own) + b",".join(members) + b"}" if members else body


def _own(indices: TypeIndices, change: _Change) -> list[IndexedDocument]:
    """The document of a change, as the change left it; one that embeds others is composed instead."""
    if indices.declared.embed:
        return []
    body = None if change.body is None else change.body.encode()
    return StoredDocument((change.type, change.document_id), change.version, body).entries(indices.names)


def _lineages(types: IndexedTypes, changes: Sequence[_Change]) -> list[list[DocumentName]]:
    """Embedding documents that each change has touched: its own document, and those above it."""
    catalogue = types.catalogue
    embedding = {name for name, declared in catalogue.types.items() if declared.embed}
    below = {
        name
        for name, declared in catalogue.types.items()
        if any(each.name in embedding for each in catalogue.lineage(declared))
    }
    chains = ancestors({(change.type, change.document_id) for change in changes if change.type in below})
    found: list[list[DocumentName]] = []
    for change in changes:
        own = (change.type, change.document_id)
        lineage = [own] if change.type in embedding else []
        found.append(lineage + [name for name in chains.get(own, []) if name[0] in embedding])
    return found


def ancestors(names: Iterable[DocumentName]) -> dict[DocumentName, list[DocumentName]]:
    """The documents that others stand below, the nearest first."""
    by_type: dict[str, list[str]] = {}
    for type_, document_id in names:
        by_type.setdefault(type_, []).append(document_id)
    level: dict[DocumentName, int] = {}
    for type_, ids in by_type.items():
        rows = Document.objects.filter(type=type_, document_id__in=ids, parent__isnull=False)
        level |= {(type_, document_id): parent for document_id, parent in rows.values_list("document_id", "parent_id")}
    chains: dict[DocumentName, list[DocumentName]] = {name: [] for name in level}
    while level:
        rows_ = Document.objects.filter(pk__in=set(level.values())).values_list(
            "pk", "type", "document_id", "parent_id"
        )
        parents = {pk: (type_, document_id, parent) for pk, type_, document_id, parent in rows_}
        above: dict[DocumentName, int] = {}
        for name, pk in level.items():
            type_, document_id, parent = parents[pk]
            chains[name].append((type_, document_id))
            if parent is not None:
                above[name] = parent
        level = above
    return chains


def snapshot_message(row: Document, root: DocumentName, document: StoredDocument, index: str, at: str) -> Composed:
    """The message of a document as it is, for one index.

    Args:
        row: the document.
        root: the root of its tree.
        document: the document as the index shall hold it.
        index: the index alone that shall.
        at: the moment, as a change has it.
    """
    change = InventoryChange(
        schema_version=SCHEMA_VERSION,
        change_id=audit.new_event_id(),
        feed=None,
        type=row.type,
        id=row.document_id,
        version=row.version,
        op=SNAPSHOT,
        at=at,
        actor=None,
        request_id="snapshot",
        changed=[],
        document=NULL if row.body is None else Raw(row.body.encode()),
        documents=document.entries([index]),
    )
    return Composed(record_key(*root), change, None)


def _composed(change: _Change, documents: list[IndexedDocument]) -> Composed:
    pointers = orjson.loads(change.changed)
    key = record_key(change.root_type, change.root_id)
    return Composed(key, _message(change, pointers, documents), _event(change, pointers))


def _message(change: _Change, pointers: list[str], documents: list[IndexedDocument]) -> InventoryChange:
    return InventoryChange(
        schema_version=SCHEMA_VERSION,
        change_id=str(change.change_id),
        feed=change.feed,
        type=change.type,
        id=change.document_id,
        version=change.version,
        op=change.op,
        at=rfc3339(change.at),
        actor=change.actor,
        request_id=change.request_id,
        changed=pointers,
        document=NULL if change.body is None else Raw(change.body.encode()),
        documents=documents,
    )


def _event(change: _Change, pointers: list[str]) -> AuditEvent:
    """The change's audit event, the same however often it is made."""
    target = EventTarget(change.type, change.document_id, change.version, pointers[:_MAX_TARGETS])
    written = orjson.loads(change.event_metadata)
    # The gateway that wrote it may be a newer one, with a member more, or an older one.
    metadata: dict[str, Any] = {name: written.get(name) for name in EventMetadata.__struct_fields__}
    return AuditEvent(
        event_id=str(change.change_id),
        event_type=EventType.INVENTORY_CHANGED,
        schema_version=audit.SCHEMA_VERSION,
        timestamp=rfc3339(change.at),
        user_id=change.actor,
        data=EventData(
            query=None, index=None, dsl=audit.NO_DSL, hits=None, took_ms=None, status=200, error=None, target=target
        ),
        metadata=EventMetadata(**metadata),
    )


@contextmanager
def snapshot() -> Iterator[None]:
    """Read the database as it was at the first statement of the block; SQLite's transactions are that by themselves."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
