"""The catalogue of types as the database has it.

Why a cache in the process: to compile a schema takes far longer than to ask whether it has changed, which each request
does.
"""

from datetime import datetime

from gateway.inventory.declarations import Catalogue, DeclaredType
from gateway.inventory.models import InventoryType

_Stamp = tuple[int, datetime]

_compiled: dict[str, tuple[_Stamp, DeclaredType]] = {}


def read_catalogue() -> Catalogue:
    """All types, as they are declared now."""
    stamps: dict[str, _Stamp] = {
        name: (version, at)
        for name, version, at in InventoryType.objects.values_list("name", "schema_version", "updated_at")
    }
    changed = [name for name, stamp in stamps.items() if name not in _compiled or _compiled[name][0] != stamp]
    if changed:
        for row in InventoryType.objects.filter(name__in=changed):
            declared = DeclaredType(row.name, row.schema_version, row.definition)
            _compiled[row.name] = (row.schema_version, row.updated_at), declared
            stamps[row.name] = (row.schema_version, row.updated_at)
    return Catalogue({name: _compiled[name][1] for name in sorted(stamps)})
