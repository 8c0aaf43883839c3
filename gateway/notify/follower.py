"""Follower of the inventory's changes, which makes notifications of them in the order of their numbers.

Each step is one transaction that locks the follower's row and moves it behind the changes it has told of: a worker that
was paused meanwhile, or killed in between, tells nobody twice and leaves nobody out.

An import is one notification a recipient. It gets its number once no more of the import's changes have come for
``QUIET``; changes that come later still are added to it.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from gateway.identity.models import User
from gateway.inventory.catalogue import read_catalogue
from gateway.inventory.models import Change, Operation
from gateway.inventory.turns import take_turns
from gateway.notify.audience import Audience
from gateway.notify.inbox import Addressed, Channels, Message, lock_inboxes, notification_of, number, queue, tell_each
from gateway.notify.models import FollowerState, Kind, Notification
from kit import tracing
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

BATCH = 500
"""Changes of a transaction."""
MAX_ADDRESSED = 5_000
"""Notifications of a transaction, unless one change alone has more."""
QUIET = timedelta(seconds=10)
_IDLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class _Step:
    """Changes of one transaction, and what is told of them; ``changes`` end where there is enough to tell."""

    changes: list[Change]
    single: list[Addressed]
    imported: list[Addressed]


def run(stopping: threading.Event, leads: Callable[[], bool]) -> None:
    """Follow the changes until ``stopping`` is set, while this worker leads."""
    trouble = "nobody is told of changes, and none is forgotten, until this is mended"
    take_turns(lambda: turn(datetime.now(UTC)), stopping, leads, logger=logger, trouble=trouble, idle=_IDLE_SECONDS)


def turn(now: datetime) -> bool:
    """Tell of the next changes; whether there may be more."""
    state, _ = FollowerState.objects.get_or_create(pk=1)
    waiting = Change.objects.filter(feed__gt=state.last_feed)
    due = Notification.objects.filter(number=None, at__lte=now - QUIET)
    if not waiting.exists() and not due.exists():
        return False
    with tracing.span("tell of inventory changes", SpanKind.INTERNAL, parent=Context()), transaction.atomic():
        state = FollowerState.objects.select_for_update().get(pk=1)
        rows = Change.objects.filter(feed__gt=state.last_feed).order_by("feed").defer("body", "event_metadata")
        step = _read(list(rows[:BATCH]))
        tell_each(step.single)
        _collect(step.imported)
        if step.changes:
            state.last_feed = step.changes[-1].feed or state.last_feed
            state.save(update_fields=["last_feed"])
        _close(_quiet_before(state, step, now))
    return bool(step.changes)


def _read(changes: list[Change]) -> _Step:
    types = read_catalogue().types
    names = {change.type for change in changes}
    audience = Audience.read(types[name] for name in names if name in types)
    actors = dict(User.objects.filter(username__in={change.actor for change in changes}).values_list("username", "pk"))
    step = _Step([], [], [])
    for change in changes:
        message = _message(change, actors.get(change.actor or ""))
        told = step.single if change.import_id is None else step.imported
        if change.op != Operation.ERASE:
            told.extend(Addressed(message, recipient, channels) for recipient, channels in audience.of(change))
        step.changes.append(change)
        if len(step.single) + len(step.imported) >= MAX_ADDRESSED:
            break
    return step


def _message(change: Change, actor: int | None) -> Message:
    if change.import_id is not None:
        data = {"type": change.type, "import_id": str(change.import_id), "changes": 1}
        return Message(Kind.INVENTORY_IMPORTED, str(change.import_id), change.at, actor, data)
    data = {
        "type": change.type,
        "id": change.document_id,
        "version": change.version,
        "op": change.op,
        "changed": change.changed,
    }
    return Message(Kind.INVENTORY_CHANGED, str(change.change_id), change.at, actor, data)


def _collect(addressed: list[Addressed]) -> None:
    """Count the changes of imports in their notifications, one a recipient, which are made where they are missing."""
    if not addressed:
        return
    collected: dict[tuple[int, str], tuple[Addressed, int]] = {}
    for each in addressed:
        key = (each.recipient, each.message.source)
        before = collected.get(key)
        channels = each.channels if before is None else before[0].channels | each.channels
        collected[key] = Addressed(each.message, each.recipient, channels), 1 if before is None else before[1] + 1
    sources = {source for _, source in collected}
    there = {(row.recipient_id, row.source): row for row in Notification.objects.filter(source__in=sources)}
    # Locked, so that none of them is deleted meanwhile.
    users = lock_inboxes(recipient for recipient, _ in collected)
    new: list[Notification] = []
    for key, (each, count) in collected.items():
        row = there.get(key)
        if key[0] not in users:
            continue
        if row is None:
            row = notification_of(each)
            row.data["changes"] = 0
            new.append(row)
        row.data["changes"] += count
        row.at = max(row.at, each.message.at)
        row.channels = (Channels.read(row.channels) | each.channels).written()
    Notification.objects.bulk_create(new, BATCH)
    Notification.objects.bulk_update(
        [there[key] for key in collected if key in there], ["data", "at", "channels"], BATCH
    )


def _quiet_before(state: FollowerState, step: _Step, now: datetime) -> datetime:
    """The time before which an import's last change must have been for the import to have ended.

    As long as there are other changes to tell of, some of the import's may be among them: what counts is then the time
    of the last one told of.
    """
    if Change.objects.filter(Q(feed=None) | Q(feed__gt=state.last_feed)).exists():
        return step.changes[-1].at - QUIET if step.changes else datetime.min.replace(tzinfo=UTC)
    return now - QUIET


def _close(before: datetime) -> None:
    """Number the notifications of imports that have ended, and queue their deliveries."""
    rows = list(Notification.objects.filter(number=None, at__lte=before).order_by("at", "pk")[:BATCH])
    if not rows:
        return
    inboxes = lock_inboxes(row.recipient_id for row in rows)
    rows = [row for row in rows if row.recipient_id in inboxes]
    number(inboxes, rows)
    Notification.objects.bulk_update(rows, ["number"], BATCH)
    queue([(row, Channels.read(row.channels)) for row in rows])


def waiting_since() -> datetime | None:
    """The time of the oldest change that nobody was told of yet, if there is one."""
    last = FollowerState.objects.values_list("last_feed", flat=True).filter(pk=1).first() or 0
    waiting = Change.objects.filter(Q(feed=None) | Q(feed__gt=last))
    return waiting.order_by("sequence").values_list("at", flat=True).first()
