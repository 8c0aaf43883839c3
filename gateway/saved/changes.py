"""Changes of saved searches and collections: each in one transaction with its event and what others are told of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db import transaction

from contracts.query_event.event import EventTarget
from gateway.audit.draft import EventDraft
from gateway.http.problems import Code, Problem, malformed
from gateway.identity.models import User
from gateway.inventory.documents import WHOLE
from gateway.notify import inbox
from gateway.notify.models import Kind as NotificationKind
from gateway.saved import metrics, outbox
from gateway.saved.models import Kind, Saved, Share, ShareRole, Visibility, Watch
from gateway.saved.visibility import role_of

MAX_OF_USER: Mapping[Kind, int] = {Kind.SEARCH: 500, Kind.COLLECTION: 100}
"""Searches and collections that a user may have."""
_OWN = ("title", "description")
_SHARING = ("visibility", "users")


@dataclass(frozen=True, slots=True)
class Author:
    """Author of a change, and the draft of its event."""

    user: User
    draft: EventDraft


def create(author: Author, kind: Kind, wanted: Mapping[str, Any], now: datetime) -> Saved:
    """Keep something new.

    Args:
        wanted: all members, as the serializers read them.

    Raises:
        Problem: 400, the user has as many as there may be, or a name is that of nobody.
    """
    shares = _shares_of(wanted["users"], {})
    inbox.lock_inboxes({author.user.pk, *(share.user_id for share in shares)})
    if Saved.objects.filter(owner=author.user, kind=kind).count() >= MAX_OF_USER[kind]:
        raise malformed(f"You have {MAX_OF_USER[kind]}, which is as many as there may be; delete some.")
    row = Saved(kind=kind, owner=author.user, content={}, created_at=now, updated_at=now)
    _set(row, wanted)
    row.save(force_insert=True)
    _keep_shares(row, shares)
    _record(author, row, "create", [WHOLE])
    _tell(author, row, now, {"shared": [share.user_id for share in shares]}, [WHOLE])
    return row


def change(author: Author, row: Saved, wanted: Mapping[str, Any], now: datetime) -> None:
    """Change members of something that is locked; one that changes nothing is no change.

    Args:
        wanted: members, as the serializers read them.

    Raises:
        Problem: 400; 403, the user may only read it, or not share it.
    """
    role = role_of(author.user, row)
    if role is ShareRole.VIEWER:
        raise Problem(
            HTTPStatus.FORBIDDEN, Code.FORBIDDEN, f"This {row.kind} is shared with you to read, not to change."
        )
    before = members_of(row)
    after = before | dict(wanted)
    changed = [f"/{name}" for name in after if after[name] != before[name]]
    if not changed:
        return
    is_shared_anew = any(after[name] != before[name] for name in _SHARING)
    if is_shared_anew:
        # Else it stays as it is, also where the last user who was named has been deleted.
        require_sharing(after)
        if role is not ShareRole.OWNER:
            raise Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, "Only its owner says with whom it is shared.")
    known = {
        share.user_id: share for share in row.shares.select_related("user").only("role", "user__username", "saved")
    }
    shares = _shares_of(after["users"], known)
    recipients = _audience(row, known)
    inbox.lock_inboxes({author.user.pk, *recipients, *(share.user_id for share in shares)})
    _set(row, after)
    row.version += 1
    row.updated_at = now
    row.save(force_update=True)
    if "/users" in changed:
        row.shares.all().delete()
        _keep_shares(row, shares)
    if is_shared_anew:
        _end_watches(row)
    _record(author, row, "change", changed)
    named = {share.user_id for share in shares}
    new = named - set(known)
    # Who has lost it learns nothing of it any more, not even its new title.
    left = recipients & _audience(row, named)
    _tell(author, row, now, {"shared": new, "changed": left - new}, changed)


def delete(author: Author, row: Saved, now: datetime) -> None:
    """Delete something that is locked.

    Raises:
        Problem: 403, it is somebody else's.
    """
    if role_of(author.user, row) is not ShareRole.OWNER:
        raise Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, "Only its owner deletes it.")
    recipients = _audience(row, row.shares.values_list("user_id", flat=True))
    inbox.lock_inboxes({author.user.pk, *recipients})
    _record(author, row, "delete", [WHOLE])
    _tell(author, row, now, {"deleted": recipients}, [WHOLE])
    row.delete()


def require_sharing(members: Mapping[str, Any]) -> None:
    """Refuse a list of users that does not fit the visibility.

    Raises:
        Problem: 400.
    """
    if members["visibility"] == Visibility.USERS and not members["users"]:
        raise malformed("users: Name those who may see it, or set visibility to me or everyone.")
    if members["visibility"] == Visibility.ME and members["users"]:
        raise malformed("users: With the visibility me nobody else sees it; leave them out, or set it to users.")


def members_of(row: Saved) -> dict[str, Any]:
    """The members that can be changed, as they are."""
    users = row.shares.order_by("user__username").values_list("user__username", "role")
    return {
        **{name: getattr(row, name) for name in _OWN},
        **row.content,
        "visibility": row.visibility,
        "users": [{"user": name, "role": role} for name, role in users],
    }


def record_watch(author: Author, row: Saved, changed: list[str]) -> None:
    """Record that a user watches a search, or does so no longer."""
    author.draft.target = EventTarget("watch", str(row.pk), None, changed)
    outbox.put(author.draft.event())


def _set(row: Saved, members: Mapping[str, Any]) -> None:
    row.title, row.description, row.visibility = members["title"], members["description"], members["visibility"]
    row.content = {name: value for name, value in members.items() if name not in (*_OWN, *_SHARING)}


def _shares_of(users: Iterable[Mapping[str, str]], known: Mapping[int, Share]) -> list[Share]:
    """The shares with the users that are named.

    Args:
        known: shares that there are: a user who is inactive by now can stay.
    """
    wanted = {each["user"]: each["role"] for each in users}
    found = dict(User.objects.filter(username__in=wanted, is_active=True).values_list("username", "pk"))
    found |= {share.user.username: share.user_id for share in known.values()}
    for number, name in enumerate(wanted):
        if name not in found:
            raise malformed(f'users[{number}].user: There is no active user "{name[:150]}".')
    return [Share(user_id=found[name], role=role) for name, role in wanted.items()]


def _keep_shares(row: Saved, shares: Iterable[Share]) -> None:
    for share in shares:
        share.saved = row
    Share.objects.bulk_create(shares)


def _end_watches(row: Saved) -> None:
    """End the watches of users who do not see the search any more."""
    if row.visibility != Visibility.EVERYONE:
        named = row.shares.values("user_id")
        Watch.objects.filter(saved=row).exclude(user=row.owner_id).exclude(user__in=named).delete()


def _audience(row: Saved, named: Iterable[int]) -> set[int]:
    """Users who are told of changes: the owner, who is named, and who watches it; not everyone who could see it."""
    watching = row.watches.values_list("user_id", flat=True)
    return {*named, *watching} | ({row.owner_id} if row.owner_id is not None else set())


def _record(author: Author, row: Saved, op: str, changed: list[str]) -> None:
    author.draft.target = EventTarget(row.kind, str(row.pk), row.version, changed)
    outbox.put(author.draft.event())
    transaction.on_commit(metrics.CHANGES.labels(row.kind, op).inc)


def _tell(author: Author, row: Saved, now: datetime, told: Mapping[str, Iterable[int]], changed: list[str]) -> None:
    """Tell users of a change; ``told`` has them by the change as each of them sees it."""
    for op, users in told.items():
        data = {
            "type": row.kind,
            "id": str(row.pk),
            "title": row.title,
            "version": row.version,
            "op": op,
            "changed": changed,
        }
        message = inbox.Message(NotificationKind.SAVED_CHANGED, author.draft.query_id, now, author.user.pk, data)
        inbox.tell(message, set(users) - {author.user.pk})
