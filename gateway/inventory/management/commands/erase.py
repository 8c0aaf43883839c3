"""``python -m gateway erase``: what the gateway's database has of one person, or of one document, and its deletion."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from gateway.audit.commands import recorded_changes
from gateway.http.problems import Problem
from gateway.identity import erasure as users
from gateway.identity.management.database import require_database
from gateway.identity.models import User
from gateway.inventory.commands import command_author
from gateway.inventory.erasure import changes_by, erase_document, forget_author, versions_of
from gateway.inventory.writes import find_place


class Command(BaseCommand):
    """Deletes a user and all their rows, or a document and its history. To keep a name taken, deactivate the user."""

    help = (
        "Count what the gateway's database has of the user NAME, or of a document, or delete it. What users asked is "
        "not here."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name or the document, and whether to delete."""
        subject = parser.add_mutually_exclusive_group(required=True)
        subject.add_argument("name", metavar="NAME", nargs="?")
        subject.add_argument(
            "--document", metavar="TYPE/ID", help="a document with all its versions, instead of a user"
        )
        parser.add_argument("--delete", action="store_true", help="delete it, instead of counting")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, and delete if that is asked for.

        Raises:
            CommandError: there is no such user or document, others depend on it, or the database is not ready.
        """
        require_database()
        try:
            if options["document"] is not None:
                self._document(options["document"], deletes=options["delete"])
            else:
                self._user(options["name"], deletes=options["delete"])
        except Problem as problem:
            raise CommandError(problem.detail) from None
        except DatabaseError as error:
            raise CommandError(f'{error}; has "python -m gateway migrate" been run?') from None

    def _user(self, name: str, *, deletes: bool) -> None:
        name = User.normalize_username(name)
        with recorded_changes() as changes:
            # Locked, so that no log-in begins meanwhile.
            user = User.objects.select_for_update().filter(username=name).first()
            rows = {} if user is None else users.find_rows(user)
            counts = {what: found.count() for what, found in rows.items()}
            # Of one who is gone already, too.
            counts["changes of documents"] = changes_by(name).count()
            if user is None and not counts["changes of documents"]:
                raise CommandError("there is no user of this name")
            self._print(counts)
            if deletes:
                forget_author(name)
                if user is not None:
                    users.delete(user, rows)
                # Whose data it was is no longer on record anywhere, and so not here.
                changes.append("erase a user: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
        self.stdout.write(
            "deleted" if deletes else "--delete deletes the user and all of this, and takes the name from changes"
        )

    def _document(self, path: str, *, deletes: bool) -> None:
        type_, _, document_id = path.partition("/")
        place = find_place(type_, document_id)
        with recorded_changes() as changes:
            self._print({"versions": versions_of(place).count()})
            if deletes:
                count = erase_document(place, command_author())
                changes.append(f"erase a document of the type {type_}: {count} versions")
        self.stdout.write("deleted" if deletes else "--delete deletes the document and all of this")

    def _print(self, counts: dict[str, int]) -> None:
        for what, count in counts.items():
            self.stdout.write(f"{what}  {count}")
