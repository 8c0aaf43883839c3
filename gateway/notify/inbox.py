"""Inboxes: how users are told something, in the transaction of whoever tells it.

``tell`` is for other rooms. A notification's number is its recipient's own counter, raised while that user's row is
locked, so the numbers of an inbox are committed in their order: who has read up to one has missed none before it. Users
are locked in the order of their ids, so that no two writers wait for each other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from gateway.identity.models import User
from gateway.notify import metrics
from gateway.notify.models import Channel, Delivery, Inbox, Kind, Notification, State
from gateway.notify.wake_ups import wake

MAILS_AN_HOUR = 60
"""To one user; what is over that is in the inbox alone."""
MAX_PENDING = 10_000
"""Deliveries of a webhook that wait; what is over that is in the inbox alone."""
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Message:
    """Message to users.

    Attributes:
        source: id of what it tells of; nobody is told of one twice.
        actor: the primary key of whoever did it, if that is known.
        data: members that depend on the kind.
    """

    kind: Kind
    source: str
    at: datetime
    actor: int | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Channels:
    """Channels of a notification besides the inbox: mail, and the webhooks of subscriptions."""

    email: bool = False
    webhooks: frozenset[UUID] = frozenset()

    def __or__(self, other: "Channels") -> "Channels":
        """Everything that one or the other is sent by."""
        return Channels(self.email or other.email, self.webhooks | other.webhooks)

    def written(self) -> dict[str, Any]:
        """As the database keeps it."""
        return {"email": self.email, "webhooks": sorted(map(str, self.webhooks))}

    @classmethod
    def read(cls, written: Mapping[str, Any] | None) -> "Channels":
        """Read what ``written`` wrote; None is the inbox alone."""
        return cls() if written is None else cls(written["email"], frozenset(map(UUID, written["webhooks"])))


INBOX_ALONE = Channels()


@dataclass(frozen=True, slots=True)
class Addressed:
    """A message to a user, by primary key."""

    message: Message
    recipient: int
    channels: Channels = INBOX_ALONE


def tell(message: Message, recipients: Iterable[int]) -> None:
    """Put a message into the inboxes of users, once, in the transaction of the caller: rolled back, it was never there.

    Args:
        recipients: primary keys of users; those who are no more are left out.
    """
    tell_each([Addressed(message, recipient) for recipient in recipients])


def tell_each(addressed: Sequence[Addressed]) -> None:
    """Put messages into inboxes, numbered in this order, and queue their deliveries; in the caller's transaction."""
    inboxes = lock_inboxes({each.recipient for each in addressed})
    sources = {each.message.source for each in addressed}
    told = Notification.objects.filter(recipient__in=inboxes, source__in=sources)
    known = set(told.values_list("recipient", "source"))
    new: list[tuple[Notification, Channels]] = []
    for each in addressed:
        key = (each.recipient, each.message.source)
        if each.recipient not in inboxes or key in known:
            continue
        known.add(key)
        new.append((notification_of(each), each.channels))
    number(inboxes, [notification for notification, _ in new])
    Notification.objects.bulk_create([notification for notification, _ in new], _CHUNK)
    queue(new)


def notification_of(addressed: Addressed) -> Notification:
    """The row of a message, without a number."""
    message = addressed.message
    return Notification(
        recipient_id=addressed.recipient,
        kind=message.kind,
        source=message.source,
        actor_id=message.actor,
        at=message.at,
        data=dict(message.data),
    )


def lock_inboxes(users: Iterable[int]) -> dict[int, Inbox]:
    """Lock users in the order of their ids until the transaction ends; the inboxes of those who are there."""
    locked = User.objects.select_for_update(no_key=True).filter(pk__in=set(users)).order_by("pk")
    found = [user.pk for user in locked.only("pk")]
    inboxes = Inbox.objects.in_bulk(found)
    missing = [Inbox(pk=user) for user in found if user not in inboxes]
    Inbox.objects.bulk_create(missing, _CHUNK)
    return inboxes | {inbox.pk: inbox for inbox in missing}


def number(inboxes: Mapping[int, Inbox], notifications: Sequence[Notification]) -> None:
    """Give notifications the next numbers of their recipients, who are locked."""
    for notification in notifications:
        inbox = inboxes[notification.recipient_id]
        inbox.last_number += 1
        notification.number = inbox.last_number
    raised = {notification.recipient_id for notification in notifications}
    Inbox.objects.bulk_update([inboxes[user] for user in raised], ["last_number"], _CHUNK)
    kinds = Counter(Kind(notification.kind) for notification in notifications)
    transaction.on_commit(lambda: _count(kinds))
    transaction.on_commit(lambda: wake(raised))


def _count(kinds: Mapping[Kind, int]) -> None:
    for kind, count in kinds.items():
        metrics.NOTIFICATIONS.labels(kind.value).inc(count)


def queue(notifications: Sequence[tuple[Notification, Channels]]) -> None:
    """Queue what notifications are sent by, as far as their targets may get more."""
    now = datetime.now(UTC)
    wanted: list[Delivery] = []
    for notification, channels in notifications:
        common = {"notification": notification, "queued_at": now, "next_at": now}
        if channels.email:
            target = f"user {notification.recipient_id}"
            wanted.append(Delivery(channel=Channel.EMAIL, target=target, **common))
        for subscription in sorted(channels.webhooks):
            target = f"subscription {subscription}"
            wanted.append(Delivery(channel=Channel.WEBHOOK, subscription_id=subscription, target=target, **common))
    if not wanted:
        return
    room = _room({delivery.target for delivery in wanted}, now)
    taken = []
    for delivery in wanted:
        left = room.get((delivery.channel, delivery.target), _limit(delivery.channel))
        if left > 0:
            taken.append(delivery)
        else:
            metrics.DELIVERIES.labels(delivery.channel, "withheld").inc()
        room[delivery.channel, delivery.target] = left - 1
    Delivery.objects.bulk_create(taken, _CHUNK)


def _limit(channel: str) -> int:
    return MAILS_AN_HOUR if channel == Channel.EMAIL else MAX_PENDING


def _room(targets: Iterable[str], now: datetime) -> dict[tuple[str, str], int]:
    """Number of deliveries that each target may still get."""
    counted = Q(channel=Channel.EMAIL, queued_at__gt=now - timedelta(hours=1)) | Q(
        channel=Channel.WEBHOOK, state=State.PENDING
    )
    rows = Delivery.objects.filter(counted, target__in=targets).values_list("channel", "target")
    return {
        (channel, target): _limit(channel) - count
        for channel, target, count in rows.annotate(count=Count("pk")).order_by()
    }
