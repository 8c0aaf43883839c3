"""``POST /search``."""

from rest_framework.request import Request
from rest_framework.response import Response

from gateway.openapi.search import search_schema
from gateway.recorded_search import read, run
from gateway.recorded_view import RecordedView
from gateway.serializers import SearchSerializer
from gateway.trail import put_on_trail


class SearchView(RecordedView):
    """Searches an index in the query language."""

    @search_schema
    def post(self, request: Request) -> Response:
        """Search an index."""
        record = self.begin(request)
        asked = read(request, record, SearchSerializer)
        page = run(record, asked)
        put_on_trail(record)
        answer = {
            "query_id": record.query_id,
            "count": page.count,
            "count_relation": page.count_relation,
            "took_ms": page.took_ms,
            "results": page.results,
            "next": page.next,
        }
        return Response(answer | {"dsl": record.dsl} if asked["explain"] else answer)
