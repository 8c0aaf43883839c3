"""Retention of changes, and of answers to repeated requests: what is too old is deleted.

Changes go in the order of their numbers, those alone that are published, so that whoever follows them can tell by a
number whether they have missed any. Documents stay, and so do their versions: only the history begins later.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from django.conf import settings

from gateway.inventory.models import Change, IdempotencyKey, RelayState
from gateway.inventory.turns import take_turns
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_CHUNK = 1_000
_EVERY_SECONDS = 60.0


def run(stopping: threading.Event, leads: Callable[[], bool]) -> None:
    """Delete what is too old until ``stopping`` is set, while this worker leads."""

    def turn() -> bool:
        clean(datetime.now(UTC), stopping)
        return False

    trouble = "old changes are not deleted until this is mended"
    take_turns(turn, stopping, leads, logger=logger, trouble=trouble, idle=_EVERY_SECONDS, pause=_EVERY_SECONDS)


def clean(now: datetime, stopping: threading.Event) -> None:
    """Delete what is too old by now."""
    IdempotencyKey.objects.delete_expired(now)
    days = settings.GATEWAY.history_days
    if days is None:
        return
    before = now - timedelta(days=days)
    count = 0
    while not stopping.is_set() and (some := _prune_some(before)):
        count += some
    if count:
        logger.info("deleted %d changes that were older than %d days", count, days)


def _prune_some(before: datetime) -> int:
    """Delete published changes of before a moment, up to the first that is newer, ``_CHUNK`` at most."""
    published = RelayState.objects.values_list("last_feed", flat=True).filter(pk=1).first() or 0
    rows = Change.objects.filter(feed__lte=published).order_by("feed").values_list("feed", "at")[:_CHUNK]
    old = [feed for feed, _ in takewhile(lambda row: row[1] < before, rows)]
    if not old:
        return 0
    Change.objects.filter(feed__lte=old[-1]).delete()
    return len(old)
