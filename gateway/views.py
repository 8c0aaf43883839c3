"""``GET`` and ``POST /search``: a page of the answer, or all of it as a stream."""

from typing import Any

import orjson
from django.conf import settings
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from gateway import stream
from gateway.access import require_index
from gateway.auth import identification, still_allowed
from gateway.media import JSONRenderer
from gateway.openapi.search import search_by_parameters_schema, search_schema
from gateway.parameters import SearchParameters, StreamParameters, read_parameters
from gateway.record import QueryRecord
from gateway.recorded_search import prepare, read, run
from gateway.recorded_view import NOT_KEPT, RecordedView
from gateway.serializers import SearchSerializer, StreamSerializer, checked
from gateway.stream import DocumentStream
from gateway.trail import put_on_trail


class SearchView(RecordedView):
    """Searches an index in the query language."""

    max_body_bytes = settings.MAX_BODY_BYTES

    @search_schema
    def post(self, request: Request) -> HttpResponseBase:
        """Search an index."""
        record = self.begin(request)
        if _wants_stream(request):
            return _stream(request, record, read(request, record, StreamSerializer))
        return _page(record, read(request, record, SearchSerializer))

    @search_by_parameters_schema
    def get(self, request: Request) -> HttpResponseBase:
        """Search an index, asking in the query string."""
        record = self.begin(request)
        parameters = read_parameters(request)
        record.query = parameters.get("q")
        if _wants_stream(request):
            return _stream(request, record, checked(StreamParameters, parameters, record.user))
        return _page(record, checked(SearchParameters, parameters, record.user))


def _wants_stream(request: Request) -> bool:
    offered = [JSONRenderer.media_type, stream.MEDIA_TYPE]
    return request.get_preferred_type(offered) == stream.MEDIA_TYPE


def _page(record: QueryRecord, asked: dict[str, Any]) -> Response:
    with run(record, asked) as page:
        put_on_trail(record)
    answer = {
        "query_id": record.query_id,
        "count": page.count,
        "count_relation": page.count_relation,
        "took_ms": page.took_ms,
        "results": [orjson.Fragment(document) for document in page.results],
        "next": page.next,
    }
    return Response(answer | {"dsl": record.dsl} if asked["explain"] else answer, headers=NOT_KEPT)


def _stream(request: Request, record: QueryRecord, asked: dict[str, Any]) -> StreamingHttpResponse:
    prepare(record, asked)
    user, known_by, index = record.user, identification(request), asked["index"]

    def check_caller() -> None:
        require_index(still_allowed(user, known_by), index)

    documents = DocumentStream(record, asked, check_caller)
    try:
        put_on_trail(record)
    except BaseException:
        documents.close()
        raise
    # nginx shall pass each part on when it comes: it keeps this header for itself.
    headers = NOT_KEPT | {"X-Query-ID": record.query_id, "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(documents, content_type=stream.MEDIA_TYPE, headers=headers)
