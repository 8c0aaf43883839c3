"""``python -m gateway secure``: database users of query gateways and of live sockets, which write next to nothing."""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from gateway.notify.models import Delivery, Inbox, Notification, Subscription
from gateway.saved.models import Saved, Share, Watch
from gateway.search.models import OpenCursor
from kit.settings import ConfigurationError

# Columns of users that say who somebody is and what they may do: no password, no mail address.
_USER_COLUMNS = ("id", "username", "role", "granted_indices", "writable_types", "is_active")
# What finds the user of a token, of the gateway's own or of a provider, or of a ticket, which is used up by that.
_CREDENTIALS: Mapping[type[models.Model], str] = {
    DeniedToken: "SELECT",
    Identity: "SELECT (issuer, subject, user_id)",
    Totp: "SELECT (user_id, confirmed_at)",
    Ticket: "SELECT, UPDATE (tries)",
}


@dataclass(frozen=True, slots=True)
class _Role:
    """A database user: the file of its password, and what it may do with tables besides knowing users."""

    password_file: str
    tables: Mapping[type[models.Model], str]


ROLES: Mapping[str, _Role] = {
    "sluice_query": _Role(
        "query-gateway",
        {
            **_CREDENTIALS,
            InventoryType: "SELECT",
            Document: "SELECT",
            Change: "SELECT",
            RelayState: "SELECT",
            Inbox: "SELECT",
            Notification: "SELECT",
            Subscription: "SELECT",
            Delivery: "SELECT",
            Saved: "SELECT",
            Share: "SELECT",
            Watch: "SELECT",
            OpenCursor: "SELECT, INSERT, UPDATE, DELETE",
            # To lock a row, as a user who opens a cursor is, takes the right to change one of its columns.
            User: "UPDATE (date_joined)",
        },
    ),
    "sluice_live": _Role(
        "live",
        {**_CREDENTIALS, Inbox: "SELECT", Notification: "SELECT"},
    ),
}
"""Database users beside the owner of the tables. A subscription's secret is sealed by a key that neither has."""


class Command(BaseCommand):
    """Makes the users; repeatable, and a new password takes at once."""

    help = f"Make the database users {' and '.join(ROLES)}, as which query gateways and live sockets read."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder of passwords."""
        parser.add_argument(
            "--passwords",
            type=Path,
            required=True,
            metavar="FOLDER",
            help=f"folder whose files {' and '.join(role.password_file for role in ROLES.values())} hold the passwords",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them.

        Raises:
            CommandError: a password cannot be read, or the database has no users.
        """
        require_database()
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has users; on SQLite every process may write.")
        try:
            passwords = {name: read_password(options["passwords"] / role.password_file) for name, role in ROLES.items()}
        except ConfigurationError as error:
            raise CommandError(str(error)) from None
        with transaction.atomic(), connection.cursor() as cursor:
            for name, password in passwords.items():
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
                verb = "ALTER" if cursor.fetchone() else "CREATE"
                # Encrypted here, because the server may log statements.
                encrypted = connection.connection.pgconn.encrypt_password(
                    password.encode(), name.encode(), b"scram-sha-256"
                )
                for statement in _statements(name, verb, encrypted.decode()):
                    cursor.execute(statement)
                self.stdout.write(f"{name}: has its grants and password")


def _statements(name: str, verb: str, password: str) -> Sequence[sql.Composed]:
    role = ROLES[name]
    user, users = sql.Identifier(name), sql.Identifier(User._meta.db_table)
    readable = sql.SQL(", ").join(map(sql.Identifier, _USER_COLUMNS))
    return [
        sql.SQL(verb + " ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
            user, sql.Literal(password)
        ),
        # What an older version has granted ends.
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(user),
        sql.SQL("GRANT SELECT ({}) ON {} TO {}").format(readable, users, user),
        *(
            sql.SQL("GRANT " + rights + " ON {} TO {}").format(sql.Identifier(model._meta.db_table), user)
            for model, rights in role.tables.items()
        ),
    ]
