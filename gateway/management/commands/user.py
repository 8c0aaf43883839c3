"""``python -m gateway user NAME``: makes a user known."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from gateway.models import User


class Command(BaseCommand):
    """Creates a user, or activates one who is known already; repeatable."""

    help = "Make NAME a known, active user."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name."""
        parser.add_argument("name", metavar="NAME")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create or activate the user.

        Raises:
            CommandError: the name is no user name, or the database is not ready.
        """
        name = User.normalize_username(options["name"])
        user = User(username=name)
        user.set_unusable_password()
        try:
            user.clean_fields()
            known, created = User.objects.get_or_create(username=name, defaults={"password": user.password})
            if not known.is_active:
                known.is_active = True
                known.save(update_fields=["is_active"])
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        except DatabaseError as error:
            raise CommandError(f'{error}; has "python -m gateway migrate" been run?') from None
        self.stdout.write(f"{'created' if created else 'known'}: {name}")
