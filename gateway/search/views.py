"""``GET`` and ``POST /search``: a page of the answer, or all of it as a stream."""

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
from gateway.search import streams
from gateway.search.pipeline import noted_body, plan, run
from gateway.search.query_string import SearchParameters, StreamParameters
from gateway.search.request import SearchRequest
from gateway.search.schema import search_by_parameters_schema, search_schema
from gateway.search.serializers import SearchSerializer, StreamSerializer, checked_for
from gateway.search.streams import DocumentStream


class SearchView(AuditedView):
    """Searches an index in the query language."""

    max_body_bytes = settings.MAX_BODY_BYTES

    @search_schema
    def post(self, request: Request) -> HttpResponseBase:
        """Search an index."""
        draft = self.begin(request)
        body = noted_body(request, draft)
        if _wants_stream(request):
            return _stream(request, draft, SearchRequest(**checked_for(StreamSerializer, body, caller(request))))
        return _page(request, draft, SearchRequest(**checked_for(SearchSerializer, body, caller(request))))

    @search_by_parameters_schema
    def get(self, request: Request) -> HttpResponseBase:
        """Search an index, asking in the query string."""
        draft = self.begin(request)
        parameters = read_parameters(request)
        draft.query = parameters.get("q")
        if _wants_stream(request):
            return _stream(request, draft, SearchRequest(**checked_for(StreamParameters, parameters, caller(request))))
        return _page(request, draft, SearchRequest(**checked_for(SearchParameters, parameters, caller(request))))


def _wants_stream(request: Request) -> bool:
    offered = [JSONRenderer.media_type, streams.MEDIA_TYPE]
    return request.get_preferred_type(offered) == streams.MEDIA_TYPE


def _page(request: Request, draft: EventDraft, asked: SearchRequest) -> Response:
    planned = plan(caller(request), draft, asked)
    with run(caller(request), draft, planned) as page:
        record_event(draft)
    answer = {
        "query_id": draft.query_id,
        "count": page.count,
        "count_relation": page.count_relation,
        "took_ms": page.took_ms,
        "results": [orjson.Fragment(document) for document in page.results],
        "next": page.next,
    }
    return Response(answer | {"dsl": draft.dsl} if asked.explain else answer, headers=NOT_KEPT)


def _stream(request: Request, draft: EventDraft, asked: SearchRequest) -> StreamingHttpResponse:
    user, known_by = caller(request), identification(request)
    planned = plan(user, draft, asked)

    def check_caller() -> None:
        require_index(still_allowed(user, known_by), asked.index)

    documents = DocumentStream(user, draft, planned, check_caller)
    try:
        record_event(draft)
    except BaseException:
        documents.close()
        raise
    # nginx shall pass each part on when it comes: it keeps this header for itself.
    headers = NOT_KEPT | {"X-Query-ID": draft.query_id, "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(documents, content_type=streams.MEDIA_TYPE, headers=headers)
