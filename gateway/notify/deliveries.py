"""Queue of deliveries: which are due, and what becomes of one.

A delivery is claimed before it is sent: for ``CLAIM`` nobody else sends it. A worker that is killed in between leaves
it to the next one, which sends it again under the same id.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from django.db import transaction

from gateway.notify.models import MAX_ERROR_CHARACTERS, Channel, Delivery, State
from indexing.backoff import full_jitter

CLAIM = timedelta(seconds=120)
"""Longer than any try may take."""
FIRST_SECONDS = 5.0
LAST_SECONDS = 24 * 3600.0
MAX_ATTEMPTS = 17
"""Until the bound of the pause has grown from five seconds to a day, and once more."""
MAX_AGE = timedelta(days=3)
"""Of a delivery that is not dead: about the sum of all its pauses, should each be as long as it can."""
_LOOKED_AT = 100
_TOO_OLD = "not delivered within three days"


def claim(channel: Channel, room: int, busy: Collection[str], now: datetime) -> list[Delivery]:
    """Claim deliveries that are due, the oldest first, one a target at most.

    Args:
        room: how many at most.
        busy: targets that get none now.
    """
    due = Delivery.objects.filter(channel=channel, state=State.PENDING, next_at__lte=now).exclude(target__in=busy)
    if not due.exists():
        return []
    with transaction.atomic():
        rows = due.select_for_update(skip_locked=True).order_by("next_at", "pk")[:_LOOKED_AT]
        first: dict[str, Delivery] = {}
        for delivery in rows:
            first.setdefault(delivery.target, delivery)
        claimed = list(first.values())[:room]
        for delivery in claimed:
            delivery.attempts += 1
            delivery.next_at = now + CLAIM
        Delivery.objects.bulk_update(claimed, ["attempts", "next_at"])
    return claimed


def read(pk: UUID) -> Delivery | None:
    """A claimed delivery with all that sending it takes; None if it is deleted."""
    related = "notification__recipient", "notification__actor", "subscription__user"
    return Delivery.objects.select_related(*related).filter(pk=pk).first()


def sent(pk: UUID, now: datetime) -> None:
    """Note that a delivery has been taken."""
    Delivery.objects.filter(pk=pk).update(state=State.SENT, finished_at=now, last_error="")


def failed(delivery: Delivery, reason: str, now: datetime, random: Random) -> bool:
    """Note that a try has failed, and when the next is due; whether it is dead now."""
    if delivery.attempts >= MAX_ATTEMPTS:
        given_up(delivery.pk, reason, now)
        return True
    pause = timedelta(seconds=full_jitter(delivery.attempts, random, base=FIRST_SECONDS / 2, cap=LAST_SECONDS))
    Delivery.objects.filter(pk=delivery.pk).update(next_at=now + pause, last_error=reason[:MAX_ERROR_CHARACTERS])
    return False


def given_up(pk: UUID, reason: str, now: datetime) -> None:
    """Note that a delivery is dead."""
    Delivery.objects.filter(pk=pk).update(state=State.DEAD, finished_at=now, last_error=reason[:MAX_ERROR_CHARACTERS])


def give_up_old(now: datetime) -> int:
    """Give up what has waited too long; how many that are."""
    old = Delivery.objects.filter(state=State.PENDING, queued_at__lt=now - MAX_AGE)
    return old.update(state=State.DEAD, finished_at=now, last_error=_TOO_OLD)


def resend(ids: Iterable[UUID] | None, now: datetime) -> int:
    """Send dead deliveries again, all or those with these ids; how many that are."""
    dead = Delivery.objects.filter(state=State.DEAD)
    if ids is not None:
        dead = dead.filter(pk__in=ids)
    return dead.update(state=State.PENDING, attempts=0, queued_at=now, next_at=now, finished_at=None)
