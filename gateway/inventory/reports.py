"""``/inventory-reports``: how often public documents were read, counted from the audit trail.

Why: a counter in the request would be a write for each read, and could differ from the trail. The event is durable
before the answer, so what is counted here is what was answered, as soon as the sink has it. A list is one event with
the ids that were in it, and each of them counts.
"""

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from contracts.query_event.event import EventType
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT
from gateway.http.fields import checked
from gateway.http.openapi import KNOWN, operation
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller
from gateway.identity.authorization import QUERY_LOGS
from gateway.inventory.base_views import InventoryView
from gateway.inventory.schema import DayReads, ItemReads, ReadsAnswer
from gateway.inventory.serializers import ReadsParameters
from gateway.search.elasticsearch import perform

_operation = partial(operation, group="Inventory")
_SEARCH = f"/{QUERY_LOGS}/_search?ignore_unavailable=true&allow_no_indices=true&allow_partial_search_results=false"
_ID = "sluice.target.id"
# An index is a day. Up to so many items a day are counted exactly; of more, the least read may be missing some.
_SHARD_ITEMS = 10_000


class ReadsView(InventoryView):
    """Reads of the documents of a type by unknown callers."""

    @_operation("inventory_reads", ReadsAnswer, problems=(400, *KNOWN, 403, 404), parameters=[ReadsParameters])
    def get(self, request: Request) -> Response:
        """Count reads of public documents.

        Reads without credentials, each document of a list for itself, by day (UTC) or by document. For administrators.
        The audit trail is about a second behind.
        """
        self.known(request)
        asked = checked(ReadsParameters, read_parameters(request))
        draft = self.administrator(request, asked["type"], "read reports")
        self.check_reader(caller(request), asked["type"])
        answer = _answer(asked, perform("POST", _SEARCH, _body(asked)))
        record_event(draft)
        return Response(answer, headers=NOT_KEPT)


def _body(asked: dict[str, Any]) -> dict[str, Any]:
    start, end = asked["from"], asked["to"]
    filters = [
        {"term": {"event.action": EventType.INVENTORY_READ}},
        {"term": {"sluice.target.type": asked["type"]}},
        {"range": {"@timestamp": {"gte": _midnight(start), "lt": _midnight(end + timedelta(days=1))}}},
    ]
    groups: dict[str, Any] = {
        "day": {
            "date_histogram": {
                "field": "@timestamp",
                "calendar_interval": "day",
                "format": "yyyy-MM-dd",
            },
            "aggs": {"reads": {"value_count": {"field": _ID}}},
        },
        "item": {"terms": {"field": _ID, "size": asked["size"], "shard_size": _SHARD_ITEMS}},
    }
    return {
        "size": 0,
        "track_total_hits": False,
        "query": {"bool": {"filter": filters, "must_not": [{"exists": {"field": "user.name"}}]}},
        "aggs": {"total": {"value_count": {"field": _ID}}, "groups": groups[asked["group"]]},
    }


def _answer(asked: dict[str, Any], found: dict[str, Any]) -> ReadsAnswer:
    # Before the first event there is no index, and no aggregation.
    aggregations = found.get("aggregations", {})
    groups = aggregations.get("groups", {})
    answer: ReadsAnswer = {
        "type": asked["type"],
        "from": asked["from"].isoformat(),
        "to": asked["to"].isoformat(),
        "total": aggregations.get("total", {}).get("value", 0),
    }
    buckets = groups.get("buckets", [])
    if asked["group"] == "day":
        reads = {each["key_as_string"]: each["reads"]["value"] for each in buckets}
        days = [asked["from"] + timedelta(days=number) for number in range((asked["to"] - asked["from"]).days + 1)]
        answer["days"] = [DayReads(day=day.isoformat(), reads=reads.get(day.isoformat(), 0)) for day in days]
    else:
        answer["items"] = [ItemReads(id=each["key"], reads=each["doc_count"]) for each in buckets]
        answer["at_most_missing"] = groups.get("doc_count_error_upper_bound", 0)
    return answer


def _midnight(day: Any) -> str:
    return datetime.combine(day, time(), UTC).isoformat()
