"""The way of every search by a known caller: read, translate, search."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from gateway.access import require_index
from gateway.cursor import read_on
from gateway.problems import Code, Problem
from gateway.record import QueryRecord
from gateway.search import Page, search
from gateway.serializers import StrictSerializer, checked
from gateway.trail import may_record_refusal, refuse
from gateway.translator import translate


class RecordedView(APIView):
    """A view whose every answer to a known caller is on the audit trail before it leaves."""

    record: QueryRecord | None = None

    def begin(self, request: Request) -> QueryRecord:
        """Open the record of a request; from here on, its problems are on the trail too."""
        self.record = QueryRecord.begin(request)
        return self.record

    def handle_exception(self, exc: Exception) -> Any:
        """Answer with a problem; one that a known caller gets is on the audit trail first."""
        throttled = isinstance(exc, Problem) and exc.code is Code.THROTTLED
        if self.record is None and throttled and may_record_refusal():
            self.begin(self.request)
        return super().handle_exception(exc) if self.record is None else refuse(self.record, exc)


def read(request: Request, record: QueryRecord, serializer: type[StrictSerializer]) -> dict[str, Any]:
    """Check the body, noting the query first, so that the trail has it even if something else in the body is wrong.

    Raises:
        ValidationError: the body breaks the contract; names the member.
    """
    body = request.data
    if isinstance(body, dict) and isinstance(body.get("query"), str):
        record.query = body["query"]
    return checked(serializer, body, record.user)


def run(record: QueryRecord, asked: Mapping[str, Any], *, exact_count: bool = False) -> Page:
    """Translate and search.

    Args:
        record: filled in as the search goes on; it is the caller's to put on the trail.
        asked: the members of ``SearchSerializer``.
        exact_count: as ``search`` takes it.

    Raises:
        Problem: 403 for an index that the caller may not search, and whatever translator and Elasticsearch have to say.
    """
    record.query, record.index = asked["query"], asked["index"]
    require_index(record.user, asked["index"])
    translation = translate(
        asked["query"],
        asked["index"],
        case_insensitive=asked["case_insensitive"],
        correlation=record.correlation,
    )
    record.dsl = translation["query"]
    if asked["cursor"] is not None:
        page = read_on(record, asked, exact_count=exact_count)
    else:
        page = search(
            asked["index"],
            record.dsl,
            size=asked["size"],
            page=asked["page"],
            sort=asked["sort"],
            fields=asked["fields"],
            correlation=record.correlation,
            exact_count=exact_count,
        )
    record.hits, record.took_ms = page.count, page.took_ms
    return page
