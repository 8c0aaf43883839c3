"""Cursors: a snapshot of an index that its user reads page by page, through any process of the gateway's.

What a snapshot is bound to is in the database, where all processes count the same ones; a cursor is a signed note of
the snapshot and of the last document read, so that a page can be asked for again. Its text begins with the snapshot's
id, so that who closes one does not put values of a document into a path, and so into logs.
"""

import hashlib
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import orjson
from django.core import signing
from django.db import DatabaseError, transaction
from django.utils import timezone

from gateway.audit.draft import EventDraft
from gateway.http.problems import Code, Problem, malformed
from gateway.identity.models import User
from gateway.search.elasticsearch import Page
from gateway.search.models import OpenCursor
from gateway.search.points_in_time import (
    KEEP_ALIVE_SECONDS,
    ExpiredCursor,
    close_point_in_time,
    open_point_in_time,
    read_point_in_time,
)
from gateway.search.request import SearchPlan
from gateway.search.serializers import MAX_CURSOR_CHARACTERS, START

logger = logging.getLogger(__name__)

MAX_OPEN = 10
"""Snapshots that a user may hold open."""


class ForeignCursor(Problem):
    """A cursor is not one of this search's; the detail says why in the words of ``/search``."""

    def __init__(self, reason: str) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, Code.MALFORMED, f"cursor: {reason}")


_KEEP_ALIVE = timedelta(seconds=KEEP_ALIVE_SECONDS)
_SALT = "gateway.search.cursors"


@contextmanager
def reading(user: User, draft: EventDraft, plan: SearchPlan) -> Iterator[Page]:
    """Read the page that a cursor stands for, for a block that records it.

    A snapshot is closed after the block of its last page; if a block fails, that of the first page closes it, for its
    cursor reaches nobody, and any other leaves it, for the page can be asked for again.

    Args:
        draft: gets the query with the snapshot's moment for its ``now``.
        plan: of its request only ``size`` and ``fields`` may change on the way.

    Raises:
        RejectedQuery: the query is too much work.
        Problem: 400 for a cursor that is not this search's, 409 for one that has expired, 429 for one too many; 404,
            there is no such index.
        Unavailable: Elasticsearch cannot be reached, or cannot search all of the index.
    """
    request = plan.request
    if request.cursor == START:
        snapshot, after = _reserve(user, plan), None
    else:
        snapshot, after = _resume(user, plan)
    plan = plan.at(snapshot.started_at)
    draft.dsl = plan.dsl
    try:
        if after is None:
            snapshot.point_in_time = open_point_in_time(plan.index)
        found = read_point_in_time(snapshot.point_in_time, plan, size=request.size, after=after)
        cursor = None if found.after is None else _write(snapshot, found.after)
        if snapshot.point_in_time != found.point_in_time or after is None:
            snapshot.point_in_time = found.point_in_time
            OpenCursor.objects.filter(pk=snapshot.pk).update(point_in_time=found.point_in_time)
        yield replace(found.page, next=cursor)
    except Exception as error:
        if after is None or isinstance(error, ExpiredCursor):
            _close(snapshot)
        raise
    if cursor is None:
        _close(snapshot)


def close_cursor(user: User, identifier: str) -> None:
    """Close a snapshot that its user reads no further.

    Raises:
        Problem: 404, the user has no such snapshot open.
    """
    try:
        snapshot = user.cursors.filter(pk=uuid.UUID(identifier), expires_at__gt=timezone.now()).first()
    except ValueError:
        snapshot = None
    if snapshot is None:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            Code.NOT_FOUND,
            'You have no such cursor open. The id of a cursor is what stands before the first dot of "next".',
        )
    _close(snapshot)


def _reserve(user: User, plan: SearchPlan) -> OpenCursor:
    """Take one of the snapshots that the user may hold open; what has expired makes room."""
    now = timezone.now()
    with transaction.atomic():
        user.lock()
        OpenCursor.objects.delete_expired(now)
        ends = list(user.cursors.filter(expires_at__gt=now).order_by("expires_at").values_list("expires_at", flat=True))
        if len(ends) >= MAX_OPEN:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                Code.THROTTLED,
                f"You have {MAX_OPEN} cursors or scrolls open, which is as many as there may be. Read one to its end, "
                f"or wait: it expires {KEEP_ALIVE_SECONDS} seconds after its last use.",
                headers={"Retry-After": str(int((ends[0] - now).total_seconds()) + 1)},
            )
        return OpenCursor.objects.create(
            user=user, binding=_binding(plan), started_at=now, expires_at=now + _KEEP_ALIVE
        )


def _resume(user: User, plan: SearchPlan) -> tuple[OpenCursor, list[Any]]:
    """Find the snapshot of a cursor, and keep it from expiring."""
    try:
        identifier, _, note = (plan.request.cursor or "").partition(".")
        snapshot_id, after = uuid.UUID(identifier), signing.loads(note, salt=f"{_SALT}.{identifier}")
    except (signing.BadSignature, ValueError):
        raise ForeignCursor('It is unknown to this gateway; send "next" of the page before as it is.') from None
    now = timezone.now()
    snapshot = OpenCursor.objects.filter(pk=snapshot_id, expires_at__gt=now).first()
    if snapshot is None:
        raise ExpiredCursor
    if snapshot.user_id != user.pk:
        raise ForeignCursor('It is another user\'s; start your own with "start".')
    asked_for = _binding(plan)
    changed = [name for name in asked_for if snapshot.binding[name] != asked_for[name]]
    if changed:
        raise ForeignCursor(
            f"It belongs to a search with another {' and '.join(changed)}; "
            f'leave {", ".join(asked_for)} as they were, or start again with "start".'
        )
    if not OpenCursor.objects.filter(pk=snapshot.pk).update(expires_at=now + _KEEP_ALIVE):
        raise ExpiredCursor
    return snapshot, after


def _write(snapshot: OpenCursor, after: list[Any]) -> str:
    identifier: str = snapshot.pk.hex
    cursor = f"{identifier}.{signing.dumps(after, salt=f'{_SALT}.{identifier}', compress=True)}"
    if len(cursor) > MAX_CURSOR_CHARACTERS:
        raise malformed("sort: The values of these fields are too long to read on by; sort by fewer or shorter ones.")
    return cursor


def _close(snapshot: OpenCursor) -> None:
    """Close a snapshot; a failure is ignored, because it expires by itself."""
    try:
        snapshot.delete()
    except DatabaseError as error:
        logger.warning("a cursor is left to expire: %s", error.__class__.__name__)
    if snapshot.point_in_time:
        close_point_in_time(snapshot.point_in_time)


def _binding(plan: SearchPlan) -> dict[str, str]:
    """Digests of the search that a cursor is bound to: a query may be long, and the database should not hold it."""
    request = plan.request
    bound = {
        "query": request.query,
        "case_insensitive": request.case_insensitive,
        "index": plan.index,
        "sort": request.sort,
    }
    return {name: hashlib.sha256(orjson.dumps(value)).hexdigest() for name, value in bound.items()}
