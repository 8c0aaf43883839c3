"""``python -m gateway deliveries``: dead deliveries of notifications, shown and sent again."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from gateway.audit.commands import recorded_changes
from gateway.identity.management.database import require_database
from gateway.notify.deliveries import resend
from gateway.notify.models import Delivery, State

_MOST = 1_000


class Command(BaseCommand):
    """Lists dead deliveries, or has the worker send them again."""

    help = f"List the dead deliveries of notifications, the oldest {_MOST:,}; --resend has them sent again."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the ids, and whether to send again."""
        parser.add_argument("--resend", action="store_true", help="send them again, instead of listing them")
        parser.add_argument("ids", nargs="*", type=_id, metavar="ID", help="only these; all without any")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or send again.

        Raises:
            CommandError: the database is not ready, or the audit trail cannot be written.
        """
        require_database()
        ids = options["ids"] or None
        try:
            if options["resend"]:
                with recorded_changes() as changes:
                    count = resend(ids, datetime.now(UTC))
                    changes += [f"send {count} dead deliveries again"] if count else []
                self.stdout.write(f"{count} are sent again")
                return
            rows = Delivery.objects.filter(state=State.DEAD).select_related("notification__recipient").order_by("pk")
            for row in (rows if ids is None else rows.filter(pk__in=ids))[:_MOST]:
                recipient = row.notification.recipient.username
                self.stdout.write(f"{row.pk}  {row.channel:7}  {recipient}  {row.attempts} tries  {row.last_error}")
        except DatabaseError as error:
            raise CommandError(f'{error}; has "python -m gateway migrate" been run?') from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f'"{text[:100]}" is no id of a delivery') from None
