"""Types that every installation has: the files of the folder ``types``, a declaration each, named as their type."""

from pathlib import Path
from typing import Any

import orjson

from gateway.inventory.type_changes import install

_FOLDER = Path(__file__).with_name("types")


def read_builtin_types() -> dict[str, dict[str, Any]]:
    """The declarations, by the types' names."""
    return {path.stem: orjson.loads(path.read_bytes()) for path in sorted(_FOLDER.glob("*.json"))}


def install_builtin_types(**_: Any) -> None:
    """Create those that do not exist; receives Django's signal ``post_migrate``.

    One that has been declared anew stays as its administrator wants it.
    """
    install(read_builtin_types())
