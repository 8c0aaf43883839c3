"""``python -m gateway user NAME``: makes a user known, and says what they may do."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from gateway.audit.commands import recorded_changes, written
from gateway.identity.authorization import check_searchable
from gateway.identity.management.database import require_database
from gateway.identity.models import EVERY_INDEX, Role, User


class Command(BaseCommand):
    """Creates a user, or activates and changes one who is known already; repeatable."""

    help = "Make NAME a known, active user. Of a user who is known, only what is given is changed."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name and what is to be set."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--role", choices=Role.values, help="what the user may do; a new one is a searcher")
        parser.add_argument(
            "--indices",
            help="the indices that the user may search, comma separated, among GATEWAY_SEARCH_INDICES; "
            f'a new user may search all of these, as "{EVERY_INDEX}" says, and "" is none',
        )
        parser.add_argument(
            "--write",
            metavar="TYPES",
            help="the inventory types that the user may write, comma separated; a new user may write none, and so may "
            'one with ""',
        )
        parser.add_argument(
            "--password",
            action="store_true",
            help="set a password: asked for at a terminal, else the first line of the standard input",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create or change the user.

        Raises:
            CommandError: the name, the indices or the password are not acceptable, or the database is not ready.
        """
        require_database()
        name = User.normalize_username(options["name"])
        password = _ask_password() if options["password"] else None
        try:
            grants = None if options["indices"] is None else _grants(options["indices"])
            types = None if options["write"] is None else _names(options["write"])
            with recorded_changes() as changes:
                user = User.objects.filter(username=name).first()
                created = user is None
                if user is None:
                    user = User(username=name)
                    user.set_unusable_password()
                said = _set(user, is_active=True, role=options["role"], granted_indices=grants, writable_types=types)
                user.clean_fields()
                if password is not None and not user.check_password(password):
                    validate_password(password, user)
                    user.set_password(password)
                    said.append("password")
                if created or said:
                    user.save()
                    changes.append(
                        " ".join([f"{'add' if created else 'change'} user {written(name)}:", ", ".join(said)])
                    )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        except DatabaseError as error:
            raise CommandError(f'{error}; has "python -m gateway migrate" been run?') from None
        self.stdout.write(f"{'created' if created else 'known'}: {name}")


def _set(user: User, **wanted: Any) -> list[str]:
    """Set the fields that are given and differ; says each in words."""
    said = []
    for name, new in wanted.items():
        old = getattr(user, name)
        if new is not None and (new != old or user.pk is None):
            setattr(user, name, new)
            said.append(f"{name} {written(new)}" if user.pk is None else f"{name} {written(old)} to {written(new)}")
    return said


def _grants(indices: str) -> list[str]:
    grants = _names(indices)
    check_searchable(grants)
    return grants


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password (again): ") != password:
        raise CommandError("the two passwords differ")
    return password
