"""Watches: searches that the worker runs again, and of whose new and gone documents it tells their watchers.

Each look is one transaction: what was found, the notification and the event of the search are written together, or not
at all. A worker that is killed in between looks again, and tells nobody twice.

A look runs with the rights that its watcher has at that moment, as if they had typed the query. It is left out where
nothing can have changed: the index is as it was, and the query has no ``now``.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import orjson
from django.db import transaction
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from contracts.query_event.event import (
    SCHEMA_VERSION,
    AuditEvent,
    EventData,
    EventMetadata,
    EventTarget,
    EventType,
    new_event_id,
    rfc3339,
    write_dsl,
)
from gateway.http.correlation import Correlation, correlated
from gateway.http.problems import Code, Problem, Unanswered, Unavailable
from gateway.identity.authorization import require_index, wanted_index
from gateway.inventory.turns import take_turns
from gateway.notify import inbox
from gateway.notify.models import Kind as NotificationKind
from gateway.saved import metrics, outbox
from gateway.saved.differences import Difference, compare, pack
from gateway.saved.index_state import index_state
from gateway.saved.models import MAX_PROBLEM_CHARACTERS, Kind, Watch
from gateway.saved.visibility import seen_by
from gateway.search.date_anchor import anchored
from gateway.search.elasticsearch import MAX_RESULT_WINDOW, copy_preference, perform, time_limit
from gateway.search.translator_client import translate
from kit import __version__, tracing
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

BATCH = 100
MAX_NAMED = 20
"""New documents whose ids a notification has."""
RETRY = timedelta(seconds=30)
"""After which a look is tried again for which a server was missing."""
_IDLE_SECONDS = 1.0
_PAUSE_SECONDS = 5.0

States = dict[str, str]
"""States of indices, each asked for once a turn."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Result of a search.

    ``basis`` says by which query and index, ``state`` how the index was just before.
    """

    basis: str
    state: str
    uses_now: bool
    index: str
    dsl: Mapping[str, Any]
    ids: list[str]
    took_ms: int


def run(stopping: threading.Event, leads: Callable[[], bool]) -> None:
    """Look at what is watched until ``stopping`` is set, while this worker leads."""
    take_turns(
        lambda: turn(datetime.now(UTC), stopping),
        stopping,
        leads,
        logger=logger,
        trouble="watched searches are not looked at until this is mended",
        idle=_IDLE_SECONDS,
        pause=_PAUSE_SECONDS,
    )


def turn(now: datetime, stopping: threading.Event) -> bool:
    """Look at what is due, the longest due first; whether there may be more.

    Raises:
        Unavailable: a server is missing; the look is due again in a while.
    """
    due = Watch.objects.filter(next_at__lte=now, user__is_active=True).select_related("user", "saved").defer("hashes")
    watches = list(due.order_by("next_at")[:BATCH])
    states: States = {}
    for watch in watches:
        if stopping.is_set():
            return False
        metrics.LOOKS.labels(_look(watch, states, now)).inc()
    return len(watches) == BATCH


def measure(now: datetime) -> None:
    """Set the gauge of what is overdue."""
    due = Watch.objects.filter(next_at__lte=now, user__is_active=True)
    first = due.order_by("next_at").values_list("next_at", flat=True).first()
    metrics.OVERDUE_SECONDS.set(0.0 if first is None else (now - first).total_seconds())


def _look(watch: Watch, states: States, now: datetime) -> str:
    """Look at one; what became of it.

    Raises:
        Unavailable: a server is missing.
    """
    try:
        with (
            correlated(Correlation(f"watch-{uuid.uuid4()}", None, None)),
            tracing.span("look at a watched search", SpanKind.INTERNAL, parent=Context()),
        ):
            found = _find(watch, states, now)
    except Unanswered as problem:
        # It is this one search that takes too long: whoever else watches does not wait for it.
        _put_off(watch, now, problem.detail)
        return "failed"
    except Unavailable:
        Watch.objects.filter(pk=watch.pk, next_at=watch.next_at).update(next_at=now + RETRY)
        metrics.LOOKS.labels("failed").inc()
        raise
    except Problem as problem:
        _put_off(watch, now, problem.detail)
        return "refused"
    if found is None:
        _put_off(watch, now, "")
        return "skipped"
    return _compare(watch, found, now)


def _find(watch: Watch, states: States, now: datetime) -> _Found | None:
    """Search; None where nothing can have changed.

    Raises:
        Problem: the watcher may not, the query is rejected, or finds too much.
        Unavailable: a server is missing.
    """
    user = watch.user
    if not seen_by(user, Kind.SEARCH).filter(pk=watch.saved_id).exists():
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "The search is not shared with you any more.")
    query = watch.saved.content["query"]
    index = wanted_index(user, watch.saved.content["index"])
    require_index(user, index)
    basis = sha256(orjson.dumps([index, query])).hexdigest()
    if index not in states:
        states[index] = index_state(index)
    if watch.basis == basis and watch.index_state == states[index] and not watch.uses_now:
        return None
    dsl = translate(query, index, case_insensitive=False)["query"]
    at_now = anchored(dsl, now)
    body = {
        "query": at_now,
        "size": MAX_RESULT_WINDOW,
        "track_total_hits": MAX_RESULT_WINDOW + 1,
        "sort": "_doc",
        "_source": False,
        "timeout": time_limit(),
    }
    target = f"/{index}/_search?allow_partial_search_results=false&preference={copy_preference(dsl)}"
    answer = perform("POST", target, body)
    ids = [hit["_id"] for hit in answer["hits"]["hits"]]
    if answer["hits"]["total"]["value"] > MAX_RESULT_WINDOW:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            Code.TOO_COMPLEX,
            f"The search finds more than {MAX_RESULT_WINDOW:,} documents, which are too many to watch; narrow it down.",
        )
    return _Found(basis, states[index], at_now != dsl, index, at_now, ids, answer["took"])


def _put_off(watch: Watch, now: datetime, problem: str) -> None:
    """Note a look that has found nothing out, unless the watch was changed meanwhile."""
    same = Watch.objects.filter(pk=watch.pk, next_at=watch.next_at)
    same.update(next_at=_next(watch, now), looked_at=now, problem=problem[:MAX_PROBLEM_CHARACTERS])


def _next(watch: Watch, now: datetime) -> datetime:
    """Time at which it is due again: a whole number of intervals later, so that looks stay spread as they are."""
    interval = timedelta(seconds=watch.interval)
    return watch.next_at + ((now - watch.next_at) // interval + 1) * interval


def _compare(watch: Watch, found: _Found, now: datetime) -> str:
    with transaction.atomic():
        # The user before the watch, as whoever begins or ends a watch locks them.
        inbox.lock_inboxes([watch.user_id])
        row = Watch.objects.select_for_update(no_key=True).filter(pk=watch.pk, next_at=watch.next_at).first()
        if row is None:
            return "skipped"
        difference = compare(bytes(row.hashes), found.ids) if row.basis == found.basis else None
        row.basis, row.index_state, row.uses_now = found.basis, found.state, found.uses_now
        row.looked_at, row.next_at, row.problem = now, _next(row, now), ""
        if difference is None or difference:
            row.hashes = pack(found.ids)
        row.save()
        if not difference:
            return "begun" if difference is None else "unchanged"
        event = _event(watch, found, now)
        outbox.put(event)
        inbox.tell(_message(watch, difference, event.event_id, now), [watch.user_id])
    return "told"


def _message(watch: Watch, difference: Difference, source: str, now: datetime) -> inbox.Message:
    data = {
        "type": Kind.SEARCH.value,
        "id": str(watch.saved_id),
        "title": watch.saved.title,
        "new": len(difference.new),
        "gone": difference.gone,
        "ids": difference.new[:MAX_NAMED],
    }
    return inbox.Message(NotificationKind.WATCH_FOUND, source, now, None, data)


def _event(watch: Watch, found: _Found, now: datetime) -> AuditEvent:
    """The event of a search that the worker has run for a user."""
    return AuditEvent(
        event_id=new_event_id(),
        event_type=EventType.QUERY_EXECUTED,
        schema_version=SCHEMA_VERSION,
        timestamp=rfc3339(now),
        user_id=watch.user.username,
        data=EventData(
            query=watch.saved.content["query"],
            index=found.index,
            dsl=write_dsl(dict(found.dsl)),
            hits=len(found.ids),
            took_ms=found.took_ms,
            status=HTTPStatus.OK.value,
            error=None,
            target=EventTarget("watch", str(watch.saved_id)),
        ),
        metadata=EventMetadata(
            request_id=f"watch-{watch.pk}",
            trace_id=None,
            client_ip=None,
            user_agent=None,
            auth_scheme="watch",
            service="gateway",
            service_version=__version__,
        ),
    )
