"""Audience of the inventory's changes: users with a role that the type tells, and those who have subscribed to it.

Nobody is told of a type whose history they may not read, or of what they did themselves. Who is told by a role gets a
mail too, unless they have subscribed to the type: then their subscriptions say by what they are told, and the role's
rest is in the inbox.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from django.conf import settings

from gateway.identity.models import User
from gateway.inventory.base_views import may_read_history
from gateway.inventory.declarations import DeclaredType
from gateway.inventory.documents import WHOLE
from gateway.inventory.models import Change
from gateway.notify.inbox import INBOX_ALONE, Channels
from gateway.notify.models import Subscription


@dataclass(frozen=True, slots=True)
class _Told:
    """A user who is told of changes of a type: by a role, of all of them; by subscriptions, of those that they name."""

    user: User
    by_role: bool
    subscriptions: Sequence[Subscription]

    def channels(self, changed: Collection[str]) -> Channels | None:
        """Channels by which the user is told of a change; None if it does not concern them."""
        found = None
        if self.by_role:
            # Who has subscriptions has chosen their channels.
            found = INBOX_ALONE if self.subscriptions else Channels(email=can_mail(self.user))
        for subscription in self.subscriptions:
            if concerns(subscription.members, changed):
                found = (found or INBOX_ALONE) | _channels_of(subscription, self.user)
        return found


class Audience:  # pylint: disable=too-few-public-methods  # it has one question
    """Users who are told of changes of some types, as the database has them now."""

    def __init__(self, told: Mapping[str, Sequence[_Told]]) -> None:
        self._told = told

    @classmethod
    def read(cls, types: Iterable[DeclaredType]) -> Self:
        """Read who is told of changes of these types."""
        return cls({declared.name: list(_told_of(declared)) for declared in types})

    def of(self, change: Change) -> Iterator[tuple[int, Channels]]:
        """The primary keys of those who are told of a change, and by what."""
        for told in self._told.get(change.type, ()):
            channels = told.channels(change.changed) if told.user.username != change.actor else None
            if channels is not None:
                yield told.user.pk, channels


def can_mail(user: User) -> bool:
    """Whether a user can be sent mail: to an address that they have proven."""
    return settings.GATEWAY.mail_url is not None and bool(user.email) and user.email_verified


def concerns(members: Collection[str], changed: Collection[str]) -> bool:
    """Whether a change concerns one of the members, all of them where there are none.

    Args:
        members: JSON pointers to members, with everything below them.
        changed: JSON pointers to what has changed, as a change has them.
    """
    if not members or WHOLE in changed:
        return True
    return any(_leads_into(one, other) or _leads_into(other, one) for one in members for other in changed)


def _leads_into(pointer: str, above: str) -> bool:
    return pointer == above or pointer.startswith(f"{above}/")


def _told_of(declared: DeclaredType) -> Iterator[_Told]:
    roles = declared.definition["notify"]
    subscriptions: dict[int, list[Subscription]] = {}
    for subscription in Subscription.objects.filter(type=declared.name, user__is_active=True).order_by("pk"):
        subscriptions.setdefault(subscription.user_id, []).append(subscription)
    by_role = User.objects.filter(is_active=True, role__in=roles) if roles else User.objects.none()
    users = User.objects.in_bulk(list(subscriptions)) | {user.pk: user for user in by_role}
    for pk in sorted(users):
        if may_read_history(users[pk], declared):
            yield _Told(users[pk], users[pk].role in roles, subscriptions.get(pk, []))


def _channels_of(subscription: Subscription, user: User) -> Channels:
    webhooks = frozenset([subscription.pk] if subscription.webhook else [])
    return Channels(subscription.email and can_mail(user), webhooks)
