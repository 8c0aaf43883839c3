"""``python -m gateway verify``: compares indices with the database, document by document."""

import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaException
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from elasticsearch import ApiError, TransportError

from gateway.identity.management.database import require_database
from gateway.inventory.indices import Indices
from gateway.inventory.rejections import note_comparison
from gateway.inventory.relay.composition import IndexedTypes
from gateway.inventory.repair import Account, Repair
from gateway.inventory.worker import make_client, make_publisher
from kit.logs import describe

_NAMED = 20
_DIFFERENT = 1


class Command(BaseCommand):
    """Compares, and repairs where that is asked for."""

    help = (
        "Compare the indices of each TYPE, or of all types, with the database, by ids and versions. What is under way "
        "is waited for, which takes a worker and an indexer that run. Exit status 1: they differ."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the types, and whether to repair."""
        parser.add_argument("types", metavar="TYPE", nargs="*")
        parser.add_argument(
            "--repair", action="store_true", help="send what differs again, as it is now; also what was refused"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare.

        Raises:
            CommandError: a type is unknown, or a server fails.
        """
        require_database()
        try:
            different = self._verify(options["types"], repairs=options["repair"])
        except DatabaseError as error:
            raise CommandError(f'{error}; has "python -m gateway migrate" been run?') from None
        except KafkaException as error:
            raise CommandError(f"Kafka: {error.args[0].str()}") from None
        except (ApiError, TransportError) as error:
            raise CommandError(f"Elasticsearch: {describe(error)}") from None
        if different:
            sys.exit(_DIFFERENT)

    def _verify(self, names: list[str], *, repairs: bool) -> bool:
        types = IndexedTypes.read()
        unknown = set(names) - set(types.indices)
        if unknown:
            raise CommandError(f"unknown type: {', '.join(sorted(unknown))}")
        client = make_client()
        indices = Indices(client)
        repair = Repair(client, indices, make_publisher(), threading.Event())
        different = False
        for name in names or sorted(types.indices):
            each = types.indices[name]
            if not client.indices.exists(index=each.physical):
                self.stdout.write(f"{name}: {each.physical} is not there yet; the worker makes it")
                different = True
                continue
            account = (repair.repair if repairs else repair.verify)(each, each.physical)
            if repairs:
                note_comparison(each, indices, each.physical, account.left)
            self.stdout.write(f"{name}: {_line(account, repairs=repairs)}")
            different |= bool(account.left or account.ahead)
        return different


def _line(account: Account, *, repairs: bool) -> str:
    parts = []
    if repairs and account.differed:
        parts.append(f"{account.differed} documents sent again")
    if account.left:
        why = "the index refuses" if repairs else "the index lacks, or has in another version,"
        parts.append(f"{why} {len(account.left)} documents: {_named(account.left)}")
    if account.ahead:
        parts.append(
            f"the index has {len(account.ahead)} documents that the database does not have so "
            f"(python -m gateway rebuild): {_named(account.ahead)}"
        )
    return "; ".join(parts) or "index and database agree"


def _named(ids: Iterable[str]) -> str:
    ids = list(ids)
    return ", ".join(ids[:_NAMED]) + (" …" if len(ids) > _NAMED else "")
