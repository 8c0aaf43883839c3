"""``python -m gateway erase NAME``: what the gateway's database has of one person, and its deletion."""

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import Model, Q, QuerySet

from gateway.audit.commands import recorded_changes
from gateway.identity.management.database import require_database
from gateway.identity.models import ApiKey, DeniedToken, RefreshFamily, User


class Command(BaseCommand):
    """Deletes a user and all their rows. To keep the name taken, deactivate the user instead."""

    help = "Count what the gateway's database has of the user NAME, or delete it. What they asked is not here."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name, and whether to delete."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--delete", action="store_true", help="delete it, instead of counting")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, and delete if that is asked for.

        Raises:
            CommandError: there is no such user, or the database is not ready.
        """
        require_database()
        try:
            with recorded_changes() as changes:
                # Locked, so that no log-in begins meanwhile.
                user = User.objects.select_for_update().get(username=User.normalize_username(options["name"]))
                rows = _rows(user)
                counts = {what: found.count() for what, found in rows.items()}
                for what, count in counts.items():
                    self.stdout.write(f"{what}  {count}")
                if options["delete"]:
                    _delete(user, rows)
                    # Whose data it was is no longer on record anywhere, and so not here.
                    changes.append("erase a user: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
        except User.DoesNotExist:
            raise CommandError("there is no user of this name") from None
        except DatabaseError as error:
            raise CommandError(f'{error}; has "python -m gateway migrate" been run?') from None
        self.stdout.write("deleted" if options["delete"] else "--delete deletes the user and all of this")


def _rows(user: User) -> dict[str, QuerySet[Any]]:
    """Rows that belong to a user, by their kind."""
    keys, log_ins = ApiKey.objects.filter(user=user), RefreshFamily.objects.filter(user=user)
    about = _about(User, [user]) | _about(ApiKey, keys) | _about(RefreshFamily, log_ins)
    # A session says whose it is only when it is read.
    sessions = [each.pk for each in Session.objects.all() if each.get_decoded().get(SESSION_KEY) == str(user.pk)]
    return {
        "API keys": keys,
        "log-ins": log_ins,
        **_of_other_rooms(user),
        "sessions": Session.objects.filter(pk__in=sessions),
        "lines of the administration's log": LogEntry.objects.filter(about | Q(user=user)),
    }


def _of_other_rooms(user: User) -> dict[str, QuerySet[Any]]:
    """Rows of the rooms above, whose models refer to the user."""
    found: dict[str, QuerySet[Any]] = {}
    for relation in User._meta.related_objects:
        model = relation.related_model
        if model not in (ApiKey, RefreshFamily, LogEntry):
            rows: QuerySet[Any] = QuerySet(model).filter(**{relation.field.name: user})
            found[str(model._meta.verbose_name_plural)] = rows
    return found


def _about(model: type[Model], objects: Iterable[Model]) -> Q:
    return Q(content_type=ContentType.objects.get_for_model(model), object_id__in=[str(each.pk) for each in objects])


def _delete(user: User, rows: dict[str, QuerySet[Any]]) -> None:
    now = datetime.now(UTC)
    # Access tokens name their user: nobody who gets the name later may be met by one.
    sessions = [key.pk for key in rows["API keys"]] + [log_in.pk.hex for log_in in rows["log-ins"]]
    sessions += user.oauth_clients.values_list("pk", flat=True)
    DeniedToken.objects.deny(sessions, now)
    for found in reversed(rows.values()):
        found.delete()
    user.delete()
