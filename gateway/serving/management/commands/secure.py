"""``python -m gateway secure``: the database user of the query gateways, which can write next to nothing."""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, models, transaction
from psycopg import sql

from elastic.security import read_password
from gateway.identity.account_models import Identity, Ticket, Totp
from gateway.identity.management.database import require_database
from gateway.identity.models import DeniedToken, User
from gateway.inventory.models import Change, Document, InventoryType, RelayState
from gateway.search.models import OpenCursor
from kit.settings import ConfigurationError

QUERY_USER = "sluice_query"
_PASSWORD_FILE = "query-gateway"

# Columns of users that say who somebody is and what they may do: no password, no mail address.
_USER_COLUMNS = ("id", "username", "role", "granted_indices", "writable_types", "is_active")
# Columns that find the user of a provider's token.
_COLUMNS: Mapping[type[models.Model], Sequence[str]] = {
    Identity: ("issuer", "subject", "user_id"),
    Totp: ("user_id", "confirmed_at"),
}
# To lock a row, as a user who opens a cursor is, takes the right to change one of its columns.
_LOCKED_COLUMN = "date_joined"
_TABLES: Mapping[type[models.Model], str] = {
    DeniedToken: "SELECT",
    # To use one up, for a download. Whoever asks must show its text, which the table does not have.
    Ticket: "SELECT, UPDATE (tries)",
    InventoryType: "SELECT",
    Document: "SELECT",
    Change: "SELECT",
    RelayState: "SELECT",
    OpenCursor: "SELECT, INSERT, UPDATE, DELETE",
}


class Command(BaseCommand):
    """Makes the user of the query gateways; repeatable, and a new password takes at once."""

    help = f'Make the database user "{QUERY_USER}", as which query gateways read, open cursors and use up tickets.'
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder of passwords."""
        parser.add_argument(
            "--passwords",
            type=Path,
            required=True,
            metavar="FOLDER",
            help=f'folder whose file "{_PASSWORD_FILE}" holds the user\'s password',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it.

        Raises:
            CommandError: the password cannot be read, or the database has no users.
        """
        require_database()
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has users; on SQLite every process may write.")
        try:
            password = read_password(options["passwords"] / _PASSWORD_FILE)
        except ConfigurationError as error:
            raise CommandError(str(error)) from None
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [QUERY_USER])
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            # Encrypted here, because the server may log statements.
            encrypted = connection.connection.pgconn.encrypt_password(
                password.encode(), QUERY_USER.encode(), b"scram-sha-256"
            )
            for statement in _statements(verb, encrypted.decode()):
                cursor.execute(statement)
        self.stdout.write(f"{QUERY_USER}: has its grants and password")


def _statements(verb: str, password: str) -> Sequence[sql.Composed]:
    user, users = sql.Identifier(QUERY_USER), sql.Identifier(User._meta.db_table)
    return [
        sql.SQL(verb + " ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
            user, sql.Literal(password)
        ),
        # What an older version has granted ends.
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(user),
        sql.SQL("GRANT SELECT ({}), UPDATE ({}) ON {} TO {}").format(
            _names(_USER_COLUMNS), sql.Identifier(_LOCKED_COLUMN), users, user
        ),
        *(
            sql.SQL("GRANT SELECT ({}) ON {} TO {}").format(_names(columns), sql.Identifier(model._meta.db_table), user)
            for model, columns in _COLUMNS.items()
        ),
        *(
            sql.SQL("GRANT " + rights + " ON {} TO {}").format(sql.Identifier(model._meta.db_table), user)
            for model, rights in _TABLES.items()
        ),
    ]


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
