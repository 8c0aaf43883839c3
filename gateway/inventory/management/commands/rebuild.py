"""``python -m gateway rebuild TYPE``: makes the index of a type again, while searches and writes go on."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console

from gateway.audit.commands import recorded_changes
from gateway.identity.management.database import require_database
from gateway.inventory.models import InventoryType
from gateway.inventory.rebuild import Begun, begin, begin_all

_LOOK_SECONDS = 0.5


class Command(BaseCommand):
    """Begins a rebuild, which the worker carries through, and waits for its end."""

    help = (
        "Make the index of TYPE again. The worker does it, and goes on after a restart of its own; this waits for the "
        "end, and may be ended by Ctrl-C without ending that."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the type, or all of them."""
        parser.add_argument("types", metavar="TYPE", nargs="*")
        parser.add_argument(
            "--all",
            action="store_true",
            help="every type, and take the topic as it is: after it was made again, or the database was restored",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Begin, and wait.

        Raises:
            CommandError: a type is unknown, or the database is not ready.
        """
        require_database()
        if bool(options["types"]) == options["all"]:
            raise CommandError("name types, or all of them by --all")
        try:
            begun = _begin(options["types"], everything=options["all"])
            for name, index in _wait([each.type for each in begun]):
                self.stdout.write(f"{name}: {index} is in place")
        except DatabaseError as error:
            raise CommandError(f'{error}; has "python -m gateway migrate" been run?') from None


def _begin(names: list[str], *, everything: bool) -> list[Begun]:
    unknown = set(names) - set(InventoryType.objects.values_list("name", flat=True))
    if unknown:
        raise CommandError(f"unknown type: {', '.join(sorted(unknown))}")
    with recorded_changes() as changes:
        begun = begin_all() if everything else begin(names)
        changes += [f"rebuild the index of the inventory type {each.type}" for each in begun]
    return begun


def _wait(names: list[str]) -> list[tuple[str, str]]:
    """Wait for the end of rebuilds; the types and their indices, which may have other numbers than were begun with."""
    rows = InventoryType.objects.filter(name__in=names).order_by("name")
    with Console(stderr=True).status("waiting for the worker") as status:
        while left := list(rows.filter(building_index__isnull=False).values_list("name", flat=True)):
            status.update(f"the worker makes {len(left)} of {len(names)} indices again: {', '.join(left[:5])}")
            time.sleep(_LOOK_SECONDS)
    return list(rows.values_list("name", "physical_index"))
