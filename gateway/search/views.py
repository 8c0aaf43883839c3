"""``GET`` and ``POST /search``: a page of the answer, or all of it as a stream."""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.draft import EventDraft
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, AuditedView
from gateway.http.fields import checked
from gateway.http.json_media import JSONRenderer
from gateway.http.openapi import INDEX, KNOWN, REJECTION, answered, asked, operation
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller, identification, still_allowed
from gateway.identity.authorization import require_index
from gateway.identity.models import User
from gateway.search import streams
from gateway.search.notices import header_value
from gateway.search.pipeline import authorized_index, page_answer, plan_on, run
from gateway.search.query_string import SearchParameters, StreamParameters
from gateway.search.request import SearchPlan, SearchRequest
from gateway.search.schema import SearchAnswer
from gateway.search.serializers import MAX_NAMES, FieldNames, SearchSerializer, StreamSerializer, unchecked_query
from gateway.search.streams import DocumentStream

_operation = partial(operation, group="Search")
_PROBLEMS = (400, *KNOWN, *INDEX, 409)
_STREAM = {
    (200, streams.MEDIA_TYPE): OpenApiResponse(
        {
            "type": "string",
            "description": "Every document that matches, a line each. A failure on the way is a last line "
            '`{"problem": {…}}`, whose `query_id` is that of the header X-Query-ID.',
        },
        "All of the answer, where Accept asks for it.",
        [OpenApiExample("two devices", '{"Hostname":"octoxlabs01"}\n{"Hostname":"octoxlabs02"}\n')],
    )
}
_ONE_DEVICE = {
    "query_id": "01a30d3c-6a55-7b52-9d0c-2f6c1b3f5a10",
    "count": 1,
    "count_relation": "eq",
    "took_ms": 3,
    "results": [{"Hostname": "octoxlabs01", "Ip": ["10.20.0.1"]}],
    "next": None,
    "notices": [],
}
_EXAMPLES = (
    asked("hosts by name", {"query": "Hostname = octoxlabs*", "fields": ["Hostname", "Ip"], "sort": ["-LastSeen"]}),
    answered("one device", _ONE_DEVICE),
    answered("unknown field", REJECTION | {"query_id": _ONE_DEVICE["query_id"]}, 400),
)
LISTS = [
    OpenApiParameter(
        name,
        {"type": "array", "items": {"type": "string"}, "maxItems": MAX_NAMES},
        description=f"{field.help_text} Separated by commas.",
        explode=False,
        style="form",
    )
    for name, field in SearchParameters().get_fields().items()
    if isinstance(field, FieldNames)
]
"""The parameters that are lists."""


class SearchView(AuditedView):
    """Searches an index in the query language."""

    max_body_bytes = settings.MAX_BODY_BYTES
    wait_for_change: Callable[[Request, str], None] | None = None
    """Waits until an index has the change that a request names; given with the route, as it is of a room above."""

    @_operation("search", SearchAnswer, SearchSerializer, problems=_PROBLEMS, also=_STREAM, examples=_EXAMPLES)
    def post(self, request: Request) -> HttpResponseBase:
        """Search an index."""
        draft = self.begin(request)
        draft.query = unchecked_query(request.data)
        if wants_stream(request):
            return self._stream(request, draft, SearchRequest(**checked(StreamSerializer, request.data)))
        return self._page(request, draft, SearchRequest(**checked(SearchSerializer, request.data)))

    @_operation(
        "search_by_parameters",
        SearchAnswer,
        problems=(*_PROBLEMS, 414),
        also=_STREAM,
        examples=_EXAMPLES,
        parameters=[SearchParameters, *LISTS],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Search an index by the query string."""
        draft = self.begin(request)
        parameters = read_parameters(request)
        draft.query = parameters.get("q")
        if wants_stream(request):
            return self._stream(request, draft, SearchRequest(**checked(StreamParameters, parameters)))
        return self._page(request, draft, SearchRequest(**checked(SearchParameters, parameters)))

    def _page(self, request: Request, draft: EventDraft, search: SearchRequest) -> Response:
        planned = self._plan(request, draft, search)
        with run(caller(request), draft, planned) as page:
            record_event(draft)
        return Response(page_answer(draft, planned, page), headers=NOT_KEPT)

    def _stream(self, request: Request, draft: EventDraft, search: SearchRequest) -> StreamingHttpResponse:
        planned = self._plan(request, draft, search)
        return stream_answer(request, draft, planned, lambda user: require_index(user, planned.index))

    def _plan(self, request: Request, draft: EventDraft, search: SearchRequest) -> SearchPlan:
        index = authorized_index(caller(request), draft, search)
        # Before the names are resolved: a new index, or a new field, may be what is waited for.
        if self.wait_for_change is not None:
            self.wait_for_change(request, index)
        return plan_on(index, draft, search)


def wants_stream(request: Request) -> bool:
    """Whether Accept asks for all of the answer, as a stream."""
    if streams.MEDIA_TYPE not in request.META.get("HTTP_ACCEPT", "").lower():
        return False
    offered = [JSONRenderer.media_type, streams.MEDIA_TYPE]
    return request.get_preferred_type(offered) == streams.MEDIA_TYPE


def stream_answer(
    request: Request, draft: EventDraft, planned: SearchPlan, check_user: Callable[[User], None]
) -> StreamingHttpResponse:
    """The answer with all documents, whose event is recorded first.

    Args:
        check_user: raises a problem if the user may not read the index; called again before each page.
    """
    user, known_by = caller(request), identification(request)

    def check_caller() -> None:
        check_user(still_allowed(user, known_by))

    documents = DocumentStream(user, draft, planned, check_caller)
    try:
        record_event(draft)
    except BaseException:
        documents.close()
        raise
    headers = NOT_KEPT | {
        "X-Query-ID": draft.query_id,
        "X-Query-Notices": header_value(planned.notices),
        # nginx passes each part on when it comes, and keeps this header for itself.
        "X-Accel-Buffering": "no",
    }
    return StreamingHttpResponse(documents, content_type=streams.MEDIA_TYPE, headers=headers)
