"""Upkeep of notifications: old ones are deleted, old deliveries given up, and both measured."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from django.conf import settings
from django.db.models import Min

from gateway.inventory.turns import keep_measuring
from gateway.notify import metrics
from gateway.notify.deliveries import give_up_old
from gateway.notify.follower import waiting_since
from gateway.notify.models import Channel, Delivery, Notification, State
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_MEASURE_SECONDS = 5.0
_ROUNDS = 12
"""Every so many measures, what is old is looked for."""
_CHUNK = 1_000


def run(stopping: threading.Event, leads: Callable[[], bool]) -> None:
    """Look after notifications until ``stopping`` is set; only the worker that leads deletes."""
    rounds = count()

    def look() -> None:
        measure(datetime.now(UTC))
        if next(rounds) % _ROUNDS == 0 and leads():
            clean(datetime.now(UTC))

    trouble = "notifications are not looked after"
    keep_measuring(look, stopping, logger=logger, trouble=trouble, seconds=_MEASURE_SECONDS)


def measure(now: datetime) -> None:
    """Set the gauges."""
    oldest = waiting_since()
    metrics.UNTOLD_SECONDS.set(0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()))
    for channel in Channel:
        of_channel = Delivery.objects.filter(channel=channel)
        metrics.DEAD.labels(channel.value).set(of_channel.filter(state=State.DEAD).count())
        pending = of_channel.filter(state=State.PENDING)
        metrics.PENDING.labels(channel.value).set(pending.count())
        due = pending.aggregate(first=Min("next_at"))["first"]
        metrics.OVERDUE_SECONDS.labels(channel.value).set(0.0 if due is None else max(0.0, (now - due).total_seconds()))


def clean(now: datetime) -> None:
    """Give up and delete what is too old."""
    dead = give_up_old(now)
    if dead:
        logger.warning("%d deliveries have waited too long, and are dead", dead)
    before = now - timedelta(days=settings.GATEWAY.notification_days)
    while ids := list(Notification.objects.filter(at__lt=before).values_list("pk", flat=True)[:_CHUNK]):
        Notification.objects.filter(pk__in=ids).delete()
