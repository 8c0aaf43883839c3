"""``python -m gateway seed``: writes the demo inventory, as an import does."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from elastic.demo_inventory import GENERATED, MAX_GENERATED, devices
from gateway.http.problems import Problem
from gateway.identity.management.database import require_database
from gateway.identity.models import User
from gateway.inventory.commands import command_author
from gateway.inventory.import_lines import Line
from gateway.inventory.imports import FAILED, Account, Import

_TYPE = "device"


class Command(BaseCommand):
    """Writes the demo inventory; a second time changes nothing."""

    help = f'Write the demo inventory into the type "{_TYPE}"; the worker and the indexer bring it into the index.'
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the number of devices."""
        parser.add_argument(
            "--devices",
            type=_number,
            default=GENERATED,
            metavar="N",
            help=f"devices to generate beside the named ones, up to {MAX_GENERATED:,}; default: %(default)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it.

        Raises:
            CommandError: a device is refused, or the database is not ready.
        """
        require_database()
        account = Account()
        job = Import(_TYPE, User(), command_author())
        try:
            for _ in job.run(_lines(options["devices"]), account):
                pass
        except Problem as problem:
            raise CommandError(problem.detail) from None
        except DatabaseError as error:
            raise CommandError(f'{error}; has "python -m gateway migrate" been run?') from None
        if account.results[FAILED]:
            raise CommandError(
                f"{account.results[FAILED]} devices are refused: the type {_TYPE} has been declared anew"
            )
        self.stdout.write(f"wrote {account.lines} devices, of which {account.changed} are new or changed")


def _lines(generated: int) -> Iterator[Line]:
    return (Line(orjson.dumps(device)) for device in devices(generated))


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_GENERATED:
        raise ArgumentTypeError(f"must be a whole number from 0 to {MAX_GENERATED:,}")
    return int(text)
