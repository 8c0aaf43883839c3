"""The catalogue of types as the database has it.

Why a cache in the process: to compile a schema takes far longer than to ask whether it has changed, which each request
does.
"""

from typing import Any

from django.db import connection

from gateway.inventory.declarations import Catalogue, DeclaredType
from gateway.inventory.models import InventoryType

# As the database gives it: a text in SQLite. It is only compared.
_Stamp = tuple[int, Any]

_STAMPS = f"SELECT name, schema_version, updated_at FROM {InventoryType._meta.db_table} ORDER BY name"

_compiled: dict[str, tuple[_Stamp, DeclaredType]] = {}


def read_catalogue() -> Catalogue:
    """All types, as they are declared now."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMPS)
        stamps: dict[str, _Stamp] = {name: (version, at) for name, version, at in cursor.fetchall()}
    changed = [name for name, stamp in stamps.items() if name not in _compiled or _compiled[name][0] != stamp]
    if changed:
        for row in InventoryType.objects.filter(name__in=changed):
            # One that has been declared anew in between has a stamp that is too old, and is read again next time.
            _compiled[row.name] = stamps[row.name], DeclaredType(row.name, row.schema_version, row.definition)
    return Catalogue({name: _compiled[name][1] for name in stamps})
