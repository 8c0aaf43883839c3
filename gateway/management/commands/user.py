"""``python -m gateway user NAME``: makes a user known, and says what they may do."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from gateway.access import check_searchable
from gateway.management.database import require_database
from gateway.models import EVERY_INDEX, Role, User


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
        try:
            user = User.objects.filter(username=name).first()
            created = user is None
            if user is None:
                user = User(username=name)
                user.set_unusable_password()
            user.is_active = True
            if options["role"]:
                user.role = options["role"]
            if options["indices"] is not None:
                user.granted_indices = _grants(options["indices"])
            user.clean_fields()
            if options["password"]:
                password = _ask_password()
                validate_password(password, user)
                user.set_password(password)
            user.save()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        except DatabaseError as error:
            raise CommandError(f'{error}; has "python -m gateway migrate" been run?') from None
        self.stdout.write(f"{'created' if created else 'known'}: {name}")


def _grants(indices: str) -> list[str]:
    grants = [index.strip() for index in indices.split(",") if index.strip()]
    check_searchable(grants)
    return grants


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password (again): ") != password:
        raise CommandError("the two passwords differ")
    return password
