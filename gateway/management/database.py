"""The database that a command works on."""

from pathlib import Path

from django.core.management.base import CommandError
from django.db import connection


def require_database() -> None:
    """Refuse an SQLite file that does not exist, which to open would create empty.

    Raises:
        CommandError: says which file, and what to do.
    """
    if connection.vendor == "sqlite" and not connection.is_in_memory_db():  # type: ignore[attr-defined]
        path = connection.settings_dict["NAME"]
        if not Path(path).exists():
            raise CommandError(
                f"there is no database {path}: set GATEWAY_DATABASE_URL to the gateway's "
                '(that of "make run" is sqlite:///.local/gateway.db), or make one with "python -m gateway migrate"'
            )
