"""Erasure of a user: what the gateway's database has of one, and its deletion."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet

from gateway.identity.models import ApiKey, DeniedToken, RefreshFamily, User


def find_rows(user: User) -> dict[str, QuerySet[Any]]:
    """Everything that hangs on a user, by what it is."""
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


def delete(user: User, rows: dict[str, QuerySet[Any]]) -> None:
    """Delete a user with all their rows, and deny their tokens.

    Args:
        user: locked, so that no log-in begins meanwhile.
        rows: as ``find_rows`` has found them.
    """
    now = datetime.now(UTC)
    # Access tokens name their user: nobody who gets the name later may be met by one.
    sessions = [key.pk for key in rows["API keys"]] + [log_in.pk.hex for log_in in rows["log-ins"]]
    sessions += user.oauth_clients.values_list("pk", flat=True)
    # The user's clients go too, and with them what other users have let these have.
    sessions += [log_in.pk.hex for log_in in RefreshFamily.objects.filter(client__user=user)]
    DeniedToken.objects.deny(sessions, now)
    for found in reversed(rows.values()):
        found.delete()
    user.delete()


def _of_other_rooms(user: User) -> dict[str, QuerySet[Any]]:
    """Rows of the rooms above, whose models refer to the user."""
    found: dict[str, QuerySet[Any]] = {}
    for relation in User._meta.related_objects:
        model = relation.related_model
        if model not in (ApiKey, RefreshFamily, LogEntry):
            rows: QuerySet[Any] = QuerySet(model).filter(**{relation.field.name: user})
            # What others use too stays, without the user.
            rows = rows.filter(getattr(model, "GOES_WITH_USER", Q()))
            found[str(model._meta.verbose_name_plural)] = rows
    return found


def _about(model: type[Model], objects: Iterable[Model]) -> Q:
    return Q(content_type=ContentType.objects.get_for_model(model), object_id__in=[str(each.pk) for each in objects])
