"""``POST /search``: translate, search, record, answer."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gateway.audit import audit_trail
from gateway.auth import require_index
from gateway.openapi import search_schema
from gateway.problems import Code, Unavailable, as_problem, problem_response
from gateway.record import QueryRecord
from gateway.search import search
from gateway.serializers import SearchSerializer
from gateway.translator import translate


class SearchView(APIView):
    """Searches an index in the query language; the search is on the audit trail before its answer leaves."""

    record: QueryRecord | None = None

    @search_schema
    def post(self, request: Request) -> Response:
        """Search an index."""
        record = self.record = QueryRecord.begin(request)
        asked = _read(request, record)
        require_index(asked["index"])
        record.dsl = translate(
            asked["query"],
            asked["index"],
            case_insensitive=asked["case_insensitive"],
            correlation=record.correlation,
        )
        page = search(
            asked["index"],
            record.dsl,
            size=asked["size"],
            page=asked["page"],
            sort=asked["sort"],
            fields=asked["fields"],
            correlation=record.correlation,
        )
        record.hits, record.took_ms = page.count, page.took_ms
        audit_trail().record(record.event(), record.correlation.traceparent)
        answer = {
            "query_id": record.query_id,
            "count": page.count,
            "count_relation": page.count_relation,
            "took_ms": page.took_ms,
            "results": page.results,
            "next": None,
        }
        return Response(answer | {"dsl": record.dsl} if asked["explain"] else answer)

    def handle_exception(self, exc: Exception) -> Any:
        """Answer with a problem; one that a known caller gets is on the audit trail first."""
        if self.record is None:
            return super().handle_exception(exc)
        problem = as_problem(exc)
        if problem.code is not Code.AUDIT_UNAVAILABLE:
            try:
                audit_trail().record(self.record.event(problem), self.record.correlation.traceparent)
            except Unavailable as unavailable:
                problem = unavailable
        return problem_response(problem, self.record.query_id)


def _read(request: Request, record: QueryRecord) -> dict[str, Any]:
    """Check the body, noting the query first, so that the trail has it even if something else in the body is wrong."""
    body = request.data
    if isinstance(body, dict) and isinstance(body.get("query"), str):
        record.query = body["query"]
    serializer = SearchSerializer(data=body)
    serializer.is_valid(raise_exception=True)
    asked: dict[str, Any] = serializer.validated_data
    record.index = asked["index"]
    return asked
