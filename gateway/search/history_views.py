"""``/history``: what the caller has asked, from the audit trail."""

from functools import partial
from typing import Any

import orjson
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contracts.query_event.event import EventTarget
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, AuditedView
from gateway.http.fields import StrictCharField, checked
from gateway.http.openapi import KNOWN, answered, operation
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller
from gateway.identity.authorization import QUERY_LOGS
from gateway.search.elasticsearch import perform, time_limit
from gateway.search.query_string import QueryString
from gateway.search.schema import HistoryEvent, HistoryPage

PAGE = 50
_TARGET = EventTarget("history")
"""Target of the events of looks at the history, which are not part of it."""
_KINDS = ("query", "auth", "inventory", "saved", "admin")
_FIELDS = [
    "@timestamp",
    "event",
    "http.response.status_code",
    "error.code",
    *(f"sluice.{name}" for name in ("query", "index", "hits", "target")),
]
_ONE = {
    "events": [
        {
            "id": "01a30d3c-6a55-7b52-9d0c-2f6c1b3f5a10",
            "at": "2026-11-21T01:02:03.456Z",
            "action": "query.executed",
            "status": 200,
            "query": "Hostname = octoxlabs*",
            "index": "devices",
            "hits": 12,
            "took_ms": 3,
        }
    ],
    "next": None,
}
_EXAMPLES: tuple[OpenApiExample, ...] = (answered("one search", _ONE),)


class HistoryParameters(QueryString):
    """Choice of events."""

    kind = serializers.ChoiceField(
        required=False, choices=_KINDS, help_text="Events of one kind only: `query` for searches."
    )
    before = StrictCharField(required=False, max_length=36, help_text="`next` of the page before.")


class HistoryView(AuditedView):
    """The caller's own events."""

    @partial(operation, group="Search")(
        "history", HistoryPage, problems=(400, *KNOWN), parameters=[HistoryParameters], examples=_EXAMPLES
    )
    def get(self, request: Request) -> Response:
        """List your own events on the audit trail.

        The newest first, 50 a page; an event is there some seconds after its request. Looks at the history are left
        out.
        """
        draft, user = self.begin(request), caller(request)
        draft.target, draft.index = _TARGET, QUERY_LOGS
        wanted = checked(HistoryParameters, read_parameters(request))
        draft.dsl = _query(user.username, wanted.get("kind"), wanted.get("before"))
        events = _events(draft.dsl)
        draft.hits = len(events[:PAGE])
        record_event(draft)
        answer: HistoryPage = {
            "events": events[:PAGE],
            "next": events[PAGE - 1]["id"] if len(events) > PAGE else None,
        }
        return Response(answer, headers=NOT_KEPT)


def _query(username: str, kind: str | None, before: str | None) -> dict[str, Any]:
    """The Elasticsearch query of a user's events.

    Ids of events are UUIDv7, which are in the order of time; so one is where the next page begins.
    """
    filters: list[dict[str, Any]] = [{"term": {"user.name": username}}]
    if kind is not None:
        filters.append({"prefix": {"event.action": f"{kind}."}})
    if before is not None:
        filters.append({"range": {"event.id": {"lt": before}}})
    return {"bool": {"filter": filters, "must_not": [{"term": {"sluice.target.type": _TARGET.type}}]}}


def _events(query: dict[str, Any]) -> list[HistoryEvent]:
    """A page of events and one more, if there is one; none where the trail has no index yet."""
    body = {
        "query": query,
        "size": PAGE + 1,
        "track_total_hits": False,
        "sort": [{"event.id": {"order": "desc", "unmapped_type": "keyword"}}],
        "_source": _FIELDS,
        "timeout": time_limit(),
    }
    answer = perform("POST", f"/{QUERY_LOGS}/_search?allow_partial_search_results=false", body)
    return [_event(orjson.loads(hit["_source"])) for hit in answer["hits"]["hits"]]


def _event(document: dict[str, Any]) -> HistoryEvent:
    event, sluice = document["event"], document["sluice"]
    duration = event.get("duration")
    listed: HistoryEvent = {
        "id": event["id"],
        "at": document["@timestamp"],
        "action": event["action"],
        "status": document["http"]["response"]["status_code"],
        "query": sluice.get("query"),
        "index": sluice.get("index"),
        "hits": sluice.get("hits"),
        "took_ms": None if duration is None else duration // 1_000_000,
    }
    if "error" in document:
        listed["code"] = document["error"]["code"]
    if "target" in sluice:
        listed["target"] = sluice["target"]
    return listed
