"""Rows of documents and of changes, as a batch locks and writes them: a statement for all.

Why no models: Django takes several times as long as the database to make objects and SQL of hundreds of rows, and the
database takes several times as long for as many statements.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from gateway.inventory.models import Change, Document, IndexState, Operation

_DOCUMENTS = Document._meta.db_table
_LOCK = f"""
    SELECT id, type, document_id, parent_id, version, tree_version, body FROM {_DOCUMENTS}
    WHERE {{}} ORDER BY document_id
"""
_INSERT = f"""
    INSERT INTO {_DOCUMENTS} (type, document_id, parent_id, version, tree_version, body, schema_version, created_at,
    updated_at, index_state) VALUES {{}}
"""
# Both databases name the columns of VALUES so.
_UPDATE = f"""
    UPDATE {_DOCUMENTS} SET version = row.column3, tree_version = row.column4, body = row.column5,
    schema_version = row.column6, index_state = row.column7, updated_at = row.column8,
    created_at = CASE WHEN row.column9 THEN row.column8 ELSE created_at END
    FROM (VALUES {{}}) AS row WHERE id = row.column1 AND version = row.column2
"""
_COUNT_UP = f"""
    UPDATE {_DOCUMENTS} SET tree_version = row.column2, index_state = row.column3
    FROM (VALUES {{}}) AS row WHERE id = row.column1
"""
_RECORD = f"""
    INSERT INTO {Change._meta.db_table} (change_id, type, document_id, root_type, root_id, version, op, at, actor,
    request_id, event_metadata, changed, import_id, body) VALUES {{}}
"""


@dataclass(slots=True)
class DocumentRow:
    """Row of a document; ``pk`` is None before it is inserted."""

    pk: int | None
    type: str
    document_id: str
    parent_id: int | None
    version: int = 0
    tree_version: int = 0
    body: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:  # pylint: disable=too-many-instance-attributes  # its columns
    """Row of a change, without what all changes of a transaction have in common."""

    change_id: UUID
    type: str
    document_id: str
    root_type: str
    root_id: str
    version: int
    op: Operation
    changed: list[str]
    body: str | None


@dataclass(frozen=True, slots=True)
class Common:
    """Columns that all changes of a transaction have in common."""

    at: datetime
    actor: str
    request_id: str
    event_metadata: dict[str, Any]
    import_id: UUID | None


def lock_named(name: str, ids: Collection[str]) -> list[DocumentRow]:
    """Lock the documents of a type that are there until the transaction ends, in the order of their ids."""
    return _lock(f"type = %s AND document_id IN ({_places(ids)})", [name, *ids]) if ids else []


def lock_above(keys: Collection[int]) -> list[DocumentRow]:
    """Lock documents by their primary keys until the transaction ends, in the order of their ids."""
    return _lock(f"id IN ({_places(keys)})", [*keys]) if keys else []


def insert(rows: Sequence[DocumentRow], schema_version: int, now: datetime) -> None:
    """Insert documents.

    Raises:
        IntegrityError: another transaction has inserted one.
    """
    at = connection.ops.adapt_datetimefield_value(now)
    rest = (schema_version, at, at, IndexState.PENDING.value)
    _write(
        _INSERT,
        [(row.type, row.document_id, row.parent_id, row.version, row.tree_version, row.body, *rest) for row in rows],
    )


def update(rows: Sequence[tuple[DocumentRow, int, bool]], schema_version: int, now: datetime) -> int:
    """Update documents.

    Args:
        rows: each with the version that it must have in the database, and whether it is created anew.

    Returns:
        how many had that version.
    """
    at = connection.ops.adapt_datetimefield_value(now)
    rest = (schema_version, IndexState.PENDING.value, at)
    return _write(
        _UPDATE,
        [(row.pk, version, row.version, row.tree_version, row.body, *rest, is_new) for row, version, is_new in rows],
    )


def count_up(rows: Sequence[DocumentRow]) -> None:
    """Update the tree versions of documents, which are on their way to the index again if they embed others."""
    _write(_COUNT_UP, [(row.pk, row.tree_version, IndexState.PENDING.value) for row in rows])


def record(changes: Sequence[ChangeRow], common: Common) -> None:
    """Insert changes; their sequence has this order."""
    at = connection.ops.adapt_datetimefield_value(common.at)
    metadata = orjson.dumps(common.event_metadata).decode()
    import_id = _uuid(common.import_id)
    _write(
        _RECORD,
        [
            (
                _uuid(each.change_id),
                each.type,
                each.document_id,
                each.root_type,
                each.root_id,
                each.version,
                each.op.value,
                at,
                common.actor,
                common.request_id,
                metadata,
                orjson.dumps(each.changed).decode(),
                import_id,
                each.body,
            )
            for each in changes
        ],
    )


def _places(values: Collection[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _lock(condition: str, values: list[Any]) -> list[DocumentRow]:
    lock = "FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK.format(condition) + lock, values)
        return [DocumentRow(*row) for row in cursor.fetchall()]


def _write(statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Write rows by a statement with VALUES; gives the number of rows that it concerned."""
    if not rows:
        return 0
    row = f"({_places(rows[0])})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Written row by row: to find thousands of places in one statement takes longer than the statement.
            with connection.wrap_database_errors:
                values = ", ".join([cursor.mogrify(row, each) for each in rows])
            cursor.execute(statement.format(values))
        else:
            cursor.executemany(statement.format(row), rows)
        return int(cursor.rowcount)


def _uuid(value: UUID | None) -> Any:
    """A UUID as the database takes it; SQLite has no type of its own for it."""
    return value if value is None or connection.features.has_native_uuid_field else value.hex
