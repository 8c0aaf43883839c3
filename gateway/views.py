"""``POST /search``: translate, search, record, answer."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gateway.auth import require_index
from gateway.openapi.search import search_schema
from gateway.record import QueryRecord
from gateway.search import search
from gateway.serializers import SearchSerializer, checked
from gateway.trail import put_on_trail, refuse
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
        translation = translate(
            asked["query"],
            asked["index"],
            case_insensitive=asked["case_insensitive"],
            correlation=record.correlation,
        )
        dsl = record.dsl = translation["query"]
        page = search(
            asked["index"],
            dsl,
            size=asked["size"],
            page=asked["page"],
            sort=asked["sort"],
            fields=asked["fields"],
            correlation=record.correlation,
        )
        record.hits, record.took_ms = page.count, page.took_ms
        put_on_trail(record)
        answer = {
            "query_id": record.query_id,
            "count": page.count,
            "count_relation": page.count_relation,
            "took_ms": page.took_ms,
            "results": page.results,
            "next": None,
        }
        return Response(answer | {"dsl": dsl} if asked["explain"] else answer)

    def handle_exception(self, exc: Exception) -> Any:
        """Answer with a problem; one that a known caller gets is on the audit trail first."""
        return super().handle_exception(exc) if self.record is None else refuse(self.record, exc)


def _read(request: Request, record: QueryRecord) -> dict[str, Any]:
    """Check the body, noting the query first, so that the trail has it even if something else in the body is wrong."""
    body = request.data
    if isinstance(body, dict) and isinstance(body.get("query"), str):
        record.query = body["query"]
    asked = checked(SearchSerializer, body)
    record.index = asked["index"]
    return asked
