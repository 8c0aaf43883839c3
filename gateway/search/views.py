"""``GET`` and ``POST /search``: a page of the answer, or all of it as a stream."""

from typing import Any

import orjson
from django.conf import settings
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.draft import EventDraft
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, AuditedView
from gateway.http.json_media import JSONRenderer
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller, identification, still_allowed
from gateway.identity.authorization import require_index
from gateway.identity.models import User
from gateway.search import streams
from gateway.search.pipeline import prepare, read, run
from gateway.search.query_string import SearchParameters, StreamParameters
from gateway.search.schema import search_by_parameters_schema, search_schema
from gateway.search.serializers import SearchSerializer, StreamSerializer, checked_for
from gateway.search.streams import DocumentStream


class SearchView(AuditedView):
    """Searches an index in the query language."""

    max_body_bytes = settings.MAX_BODY_BYTES

    @search_schema
    def post(self, request: Request) -> HttpResponseBase:
        """Search an index."""
        record = self.begin(request)
        if _wants_stream(request):
            return _stream(request, record, read(request, record, StreamSerializer))
        return _page(caller(request), record, read(request, record, SearchSerializer))

    @search_by_parameters_schema
    def get(self, request: Request) -> HttpResponseBase:
        """Search an index, asking in the query string."""
        record = self.begin(request)
        parameters = read_parameters(request)
        record.query = parameters.get("q")
        if _wants_stream(request):
            return _stream(request, record, checked_for(StreamParameters, parameters, caller(request)))
        return _page(caller(request), record, checked_for(SearchParameters, parameters, caller(request)))


def _wants_stream(request: Request) -> bool:
    offered = [JSONRenderer.media_type, streams.MEDIA_TYPE]
    return request.get_preferred_type(offered) == streams.MEDIA_TYPE


def _page(user: User, record: EventDraft, asked: dict[str, Any]) -> Response:
    with run(user, record, asked) as page:
        record_event(record)
    answer = {
        "query_id": record.query_id,
        "count": page.count,
        "count_relation": page.count_relation,
        "took_ms": page.took_ms,
        "results": [orjson.Fragment(document) for document in page.results],
        "next": page.next,
    }
    return Response(answer | {"dsl": record.dsl} if asked["explain"] else answer, headers=NOT_KEPT)


def _stream(request: Request, record: EventDraft, asked: dict[str, Any]) -> StreamingHttpResponse:
    user, known_by, index = caller(request), identification(request), asked["index"]
    prepare(user, record, asked)

    def check_caller() -> None:
        require_index(still_allowed(user, known_by), index)

    documents = DocumentStream(user, record, asked, check_caller)
    try:
        record_event(record)
    except BaseException:
        documents.close()
        raise
    # nginx shall pass each part on when it comes: it keeps this header for itself.
    headers = NOT_KEPT | {"X-Query-ID": record.query_id, "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(documents, content_type=streams.MEDIA_TYPE, headers=headers)
