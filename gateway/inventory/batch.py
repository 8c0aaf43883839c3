"""Batch of documents of one type that one transaction writes: locked first, changed in memory, written at the end.

Locks are taken from the root of a tree down, and on each level in the order of ids, so that two writers never wait for
each other. With its parent locked, a child cannot come or go, so "has it children" is a question with one answer.

Why in memory: an import has hundreds of documents a transaction, and a statement for each would take most of its time.
A single write is a batch of one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Count, Sum

from contracts.query_event.event import new_event_id
from gateway.http.problems import Code, Problem
from gateway.inventory import references, rows
from gateway.inventory.declarations import Catalogue, DeclaredType
from gateway.inventory.documents import WHOLE, changed_pointers
from gateway.inventory.models import Document, InventoryType, Operation
from gateway.inventory.preconditions import ABSENT, State
from gateway.inventory.references import Name
from gateway.inventory.rows import ChangeRow, Common, DocumentRow
from gateway.inventory.transactions import Overtaken
from gateway.inventory.trees import OctetLength, require_fits


class Result(StrEnum):
    """Result of a write."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Author:
    """Author of changes: the user's name, and what their audit events tell of the request (``EventMetadata``).

    ``import_id`` is that of the import which the changes are part of.
    """

    name: str
    request_id: str
    metadata: dict[str, Any]
    import_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Result of a write to one document.

    ``text`` is the document as it is now, None if it is deleted; ``change_id`` is None where nothing was changed.
    """

    result: Result
    type: str
    document_id: str
    version: int
    text: bytes | None
    change_id: UUID | None


@dataclass(slots=True)
class _Slot:
    """A document of the batch; ``version`` is that in the database, 0 if it is not there."""

    row: DocumentRow
    version: int
    is_touched: bool = False
    is_new: bool = False


@dataclass(slots=True)
class _Tree:
    """Size of a document and of those that it embeds."""

    children: int
    length: int


_HOLD = f"""
    SELECT name, schema_version FROM {InventoryType._meta.db_table}
    WHERE name IN (%s, %s) ORDER BY name <> %s
"""


class Batch:  # pylint: disable=too-many-instance-attributes  # what it holds of the database
    """Documents of one type in one transaction.

    Args:
        wanted: the ids of the documents, each with the id of its parent where that is given.

    Raises:
        Overtaken: the type is declared anew, or a document came meanwhile; to be tried again.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        declared: DeclaredType,
        author: Author,
        wanted: Collection[tuple[str, str | None]],
    ) -> None:
        self._catalogue = catalogue
        self._declared = declared
        self._author = author
        self._now = datetime.now(UTC)
        self._changes: list[ChangeRow] = []
        self._live: dict[Name, bool] = {}
        self._references: dict[str, frozenset[Name]] = {}
        """New references of the documents whose references have changed."""
        _hold(declared, catalogue)
        self._above = self._lock_above(wanted)
        self._by_id = {row.document_id: row for row in self._above.values() if row.type == declared.parent}
        found = rows.lock_named(declared.name, {document_id for document_id, _ in wanted})
        self._slots = {row.document_id: _Slot(row, row.version) for row in found}
        if any(slot.row.parent_id not in self._above for slot in self._slots.values() if slot.row.parent_id):
            raise Overtaken
        self._trees = self._read_trees()
        self._children: dict[int | None, int] | None = None

    def state(self, document_id: str) -> State:
        """The state of a document, for preconditions."""
        slot = self._slots.get(document_id)
        return ABSENT if slot is None else State(slot.row.version, is_live=slot.row.body is not None)

    def document(self, document_id: str) -> dict[str, Any]:
        """A document that is there."""
        body = self._slots[document_id].row.body
        assert body is not None
        document: dict[str, Any] = orjson.loads(body)
        return document

    def parent_of(self, document_id: str) -> str | None:
        """The id of a document's parent; None if it has none, or never was there."""
        slot = self._slots.get(document_id)
        return None if slot is None or slot.row.parent_id is None else self._above[slot.row.parent_id].document_id

    def read_references(self, documents: Iterable[dict[str, Any]]) -> None:
        """Look up at once what documents refer to, and keep it from being deleted."""
        wanted: dict[str, set[str]] = {}
        for document in documents:
            for name, document_id in references.references_of(self._declared, document):
                if (name, document_id) not in self._live:
                    wanted.setdefault(name, set()).add(document_id)
        for name, ids in sorted(wanted.items()):
            there = references.hold(name, ids)
            self._live |= {(name, each): each in there for each in ids}

    def store(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # the parts of a write
        self, document_id: str, document: dict[str, Any], text: bytes, op: Operation, parent_id: str | None = None
    ) -> Written:
        """Write a document that its type's schema allows.

        Args:
            text: the document.
            op: how; a document that is not there is created, except that a restored one is restored.
            parent_id: the id of its parent, where that is given.

        Raises:
            Problem: 409, its parent, or what it refers to, is missing; or its tree would be too large.
        """
        parent = self._require_parent(document_id, parent_id)
        referred = self._require_references(document)
        slot = self._slots.get(document_id)
        is_live = slot is not None and slot.row.body is not None
        referred_before: frozenset[Name] = frozenset()
        if is_live:
            before = self.document(document_id)
            changed = changed_pointers(before, document)
            if not changed:
                return self._unchanged(document_id)
            referred_before = references.references_of(self._declared, before)
        else:
            changed = [WHOLE]
            op = op if op is Operation.RESTORE else Operation.CREATE
        self._require_room(document_id, len(text), parent)
        if referred != referred_before:
            self._references[document_id] = referred
        if slot is None:
            row = DocumentRow(None, self._declared.name, document_id, None if parent is None else parent.pk)
            slot = self._slots[document_id] = _Slot(row, 0)
        slot.is_new |= not is_live
        return self._written(slot, op, text, changed, Result.REPLACED if is_live else Result.CREATED)

    def delete(self, document_id: str, op: Operation = Operation.DELETE) -> Written:
        """Delete a document that is there; one that was there can be erased.

        Raises:
            Problem: 409, documents stand below it, or refer to it.
        """
        slot = self._slots[document_id]
        self._require_no_children(slot.row)
        self._require_no_referrers(document_id)
        self._require_room(document_id, None, self._parent(slot.row))
        if self._declared.references:
            self._references[document_id] = frozenset()
        return self._written(slot, op, None, [] if op is Operation.ERASE else [WHOLE], Result.DELETED)

    def flush(self) -> None:
        """Write everything.

        Raises:
            Overtaken, IntegrityError: another transaction has written one of the documents.
        """
        touched = [slot for slot in self._slots.values() if slot.is_touched]
        schema_version = self._declared.schema_version
        rows.insert([slot.row for slot in touched if not slot.version], schema_version, self._now)
        changed = [(slot.row, slot.version, slot.is_new) for slot in touched if slot.version]
        if rows.update(changed, schema_version, self._now) != len(changed):
            raise Overtaken
        rows.count_up(self._written_above(touched))
        if self._references:
            references.replace(self._declared.name, self._references)
        # After all locks: the sequence of changes is the order of commits.
        author = self._author
        common = Common(self._now, author.name, author.request_id, author.metadata, author.import_id)
        rows.record(self._changes, common)

    def _lock_above(self, wanted: Collection[tuple[str, str | None]]) -> dict[int, DocumentRow]:
        """Lock what the documents stand below, by primary key, from the roots down."""
        lineage = self._catalogue.lineage(self._declared)
        if not lineage:
            return {}
        given = {parent for _, parent in wanted if parent is not None}
        ids = {document_id for document_id, _ in wanted}
        known = Document.objects.filter(type=self._declared.name, document_id__in=ids)
        parents = set(known.values_list("parent_id", flat=True))
        named = Document.objects.filter(type=self._declared.parent, document_id__in=given)
        levels = [parents | set(named.values_list("pk", flat=True))]
        for _ in lineage[1:]:
            levels.append(set(Document.objects.filter(pk__in=levels[-1]).values_list("parent_id", flat=True)))
        return {
            row.pk: row for level in reversed(levels) for row in rows.lock_above(level - {None}) if row.pk is not None
        }

    def _read_trees(self) -> dict[int | None, _Tree]:
        """Sizes of the documents with those they embed, and of their parents with theirs."""
        trees: dict[int | None, _Tree] = {}
        parent = self._declared.parent
        embedding = [(self._declared, [slot.row for slot in self._slots.values()])] if self._declared.embed else []
        if parent is not None and self._declared.name in self._catalogue.types[parent].embed:
            embedding.append((self._catalogue.types[parent], list(self._by_id.values())))
        for declared, embedders in embedding:
            keys = [row.pk for row in embedders]
            below = Document.objects.filter(parent__in=keys, type__in=declared.embed, body__isnull=False)
            sums = (
                below.values_list("parent_id").annotate(count=Count("pk"), length=Sum(OctetLength("body"))).order_by()
            )
            trees |= {row.pk: _Tree(0, len((row.body or "").encode())) for row in embedders}
            for pk, count, length in sums:
                trees[pk].children += count
                trees[pk].length += length
        return trees

    def _parent(self, row: DocumentRow) -> DocumentRow | None:
        return None if row.parent_id is None else self._above[row.parent_id]

    def _require_parent(self, document_id: str, parent_id: str | None) -> DocumentRow | None:
        kind = self._declared.parent
        if kind is None:
            return None
        known = self.parent_of(document_id)
        if known is not None and parent_id not in (None, known):
            raise _referential(f'The document stands below {kind} "{known}", and cannot be moved.')
        wanted = known or parent_id
        if wanted is None:
            raise _referential(
                f"A document of the type {self._declared.name} stands below one of the type {kind}: create it at "
                f"/inventory/{kind}/{{id}}/{self._declared.name}/{document_id}."
            )
        parent = self._by_id.get(wanted)
        if parent is None or parent.body is None:
            raise _referential(
                f'There is no {kind} "{wanted[:128]}", below which the document would stand; create it first.'
            )
        return parent

    def _require_references(self, document: dict[str, Any]) -> frozenset[Name]:
        self.read_references([document])
        referred = references.references_of(self._declared, document)
        for name, document_id in sorted(referred):
            own = self._slots.get(document_id) if name == self._declared.name else None
            if not (self._live[name, document_id] if own is None else own.row.body is not None):
                raise _referential(f'There is no {name} "{document_id[:128]}", to which the document refers.')
        return referred

    def _require_no_referrers(self, document_id: str) -> None:
        own = self._declared.name
        found = {
            (name, each)
            for name, each in references.referrers(own, document_id)
            if name != own or each not in self._references
        }
        found |= {(own, each) for each, targets in self._references.items() if (own, document_id) in targets}
        found.discard((own, document_id))
        if found:
            first = ", ".join(f"{name}/{each}" for name, each in sorted(found)[:5])
            raise _referential(
                f"{len(found):,} documents refer to it; change or delete these first: {first}{' …' * (len(found) > 5)}."
            )

    def _require_no_children(self, row: DocumentRow) -> None:
        if self._children is None:
            kinds = [each.name for each in self._catalogue.children(self._declared.name)]
            keys = [slot.row.pk for slot in self._slots.values()] if kinds else []
            below = Document.objects.filter(parent__in=keys, type__in=kinds, body__isnull=False)
            self._children = dict(below.values_list("parent_id").annotate(Count("pk")).order_by())
        count = self._children.get(row.pk, 0)
        if count:
            first = Document.objects.filter(parent=row.pk, body__isnull=False).order_by("type", "document_id")[:5]
            named = ", ".join(str(each) for each in first)
            raise _referential(f"{count:,} documents stand below it; delete these first: {named}{' …' * (count > 5)}.")

    def _require_room(self, document_id: str, length: int | None, parent: DocumentRow | None) -> None:
        """Count a document in the trees that it is part of; a ``length`` of None is that of its deletion."""
        slot = self._slots.get(document_id)
        before = None if slot is None or slot.row.body is None else len(slot.row.body.encode())
        longer = (length or 0) - (before or 0)
        more = (length is not None) - (before is not None)
        own = None if slot is None else self._trees.get(slot.row.pk)
        above = None
        if parent is not None and self._declared.name in self._catalogue.types[parent.type].embed:
            above = self._trees[parent.pk]
        for tree, children in ((own, 0), (above, more)):
            if tree is None:
                continue
            if longer > 0 or children > 0:
                require_fits(tree.length + longer, tree.children + children)
        for tree, children in ((own, 0), (above, more)):
            if tree is not None:
                tree.length += longer
                tree.children += children

    def _unchanged(self, document_id: str) -> Written:
        row = self._slots[document_id].row
        assert row.body is not None
        return Written(Result.UNCHANGED, row.type, document_id, row.version, row.body.encode(), None)

    def _written(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # the parts of a change
        self, slot: _Slot, op: Operation, text: bytes | None, changed: list[str], result: Result
    ) -> Written:
        row = slot.row
        slot.is_touched = True
        row.version += 1
        row.tree_version += 1
        row.body = None if text is None else text.decode()
        root = row
        while (above := self._parent(root)) is not None:
            above.tree_version += 1
            root = above
        change = ChangeRow(
            UUID(new_event_id()),
            row.type,
            row.document_id,
            root.type,
            root.document_id,
            row.version,
            op,
            changed,
            row.body,
        )
        self._changes.append(change)
        return Written(result, row.type, row.document_id, row.version, text, change.change_id)

    def _written_above(self, touched: list[_Slot]) -> list[DocumentRow]:
        found: dict[int | None, DocumentRow] = {}
        for slot in touched:
            above = self._parent(slot.row)
            while above is not None:
                found[above.pk] = above
                above = self._parent(above)
        return list(found.values())


def _hold(declared: DeclaredType, catalogue: Catalogue) -> None:
    """Keep the type, and the one above it, from being declared anew until the transaction ends.

    The one above decides whether its documents embed those of the type. It comes last, as in a change of types.
    """
    held = [declared] if declared.parent is None else [declared, catalogue.types[declared.parent]]
    with connection.cursor() as cursor:
        cursor.execute(
            _HOLD + (" FOR KEY SHARE" if connection.vendor == "postgresql" else ""),
            [declared.name, held[-1].name, declared.name],
        )
        if cursor.fetchall() != [(each.name, each.schema_version) for each in held]:
            raise Overtaken


def _referential(detail: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, Code.REFERENTIAL, detail)
