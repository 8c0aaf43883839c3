"""``GET`` and ``POST /search``: a page of the answer, or all of it as a stream."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from django.conf import settings
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.draft import EventDraft
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, AuditedView, RefusalsAuditedView
from gateway.http.fields import checked
from gateway.http.json_media import JSONRenderer
from gateway.http.openapi import INDEX, KNOWN, REJECTION, answered, asked, operation
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller, identification, still_allowed
from gateway.identity.authorization import require_index
from gateway.identity.models import User
from gateway.search import csv_stream, streams
from gateway.search.csv_stream import columns_of, documents_as_csv
from gateway.search.cursors import close_cursor
from gateway.search.notices import header_value
from gateway.search.pipeline import page_answer, plan, run
from gateway.search.query_string import SearchParameters, StreamParameters
from gateway.search.request import SearchPlan, SearchRequest
from gateway.search.schema import SearchAnswer
from gateway.search.serializers import MAX_NAMES, FieldNames, SearchSerializer, StreamSerializer, unchecked_query
from gateway.search.streams import DocumentStream

_operation = partial(operation, group="Search")
_PROBLEMS = (400, *KNOWN, *INDEX, 409)
_STREAM = {
    (200, csv_stream.MEDIA_TYPE): OpenApiResponse(
        {"type": "string", "description": "A failure on the way is a last record of one cell, the problem as JSON."},
        "The same as CSV, a column a field, where Accept asks for it.",
        [OpenApiExample("two devices", "Hostname,RiskScore\r\noctoxlabs01,5\r\noctoxlabs02,7\r\n")],
    ),
    (200, streams.MEDIA_TYPE): OpenApiResponse(
        {
            "type": "string",
            "description": "Every document that matches, a line each. A failure on the way is a last line "
            '`{"problem": {…}}`, whose `query_id` is that of the header X-Query-ID.',
        },
        "All of the answer, where Accept asks for it.",
        [OpenApiExample("two devices", '{"Hostname":"octoxlabs01"}\n{"Hostname":"octoxlabs02"}\n')],
    ),
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
        media_type = stream_type(request)
        if media_type is not None:
            return self._stream(request, draft, SearchRequest(**checked(StreamSerializer, request.data)), media_type)
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
        media_type = stream_type(request)
        if media_type is not None:
            return self._stream(request, draft, SearchRequest(**checked(StreamParameters, parameters)), media_type)
        return self._page(request, draft, SearchRequest(**checked(SearchParameters, parameters)))

    def _page(self, request: Request, draft: EventDraft, search: SearchRequest) -> Response:
        planned = self._plan(request, draft, search)
        with run(caller(request), draft, planned) as page:
            record_event(draft)
        return Response(page_answer(draft, planned, page), headers=NOT_KEPT)

    def _stream(
        self, request: Request, draft: EventDraft, search: SearchRequest, media_type: str
    ) -> StreamingHttpResponse:
        planned = self._plan(request, draft, search)
        check_caller = caller_check(request, lambda user: require_index(user, planned.index))
        return stream_answer(caller(request), draft, planned, check_caller, media_type)

    def _plan(self, request: Request, draft: EventDraft, search: SearchRequest) -> SearchPlan:
        wait = None if self.wait_for_change is None else partial(self.wait_for_change, request)
        return plan(caller(request), draft, search, wait)


class CursorView(RefusalsAuditedView):
    """A cursor."""

    @_operation(
        "close_cursor",
        None,
        problems=(*KNOWN, 404),
        also={204: OpenApiResponse(description="The cursor is closed.")},
        parameters=[OpenApiParameter("cursor_id", str, OpenApiParameter.PATH, description="What `next` begins with.")],
    )
    def delete(self, request: Request, cursor_id: str) -> Response:
        """Close a cursor.

        Its id is what stands before the first dot of `next`. So there is room for another.
        """
        close_cursor(caller(request), cursor_id)
        return Response(status=HTTPStatus.NO_CONTENT)


def stream_type(request: Request) -> str | None:
    """The media type in which Accept asks for all of the answer, as a stream; None where it asks for a page."""
    accepted = request.META.get("HTTP_ACCEPT", "").lower()
    if streams.MEDIA_TYPE not in accepted and csv_stream.MEDIA_TYPE not in accepted:
        return None
    offered = [JSONRenderer.media_type, streams.MEDIA_TYPE, csv_stream.MEDIA_TYPE]
    preferred = request.get_preferred_type(offered)
    return None if preferred == JSONRenderer.media_type else preferred


def caller_check(request: Request, check_user: Callable[[User], None]) -> Callable[[], None]:
    """The check whether a request's caller may read on.

    Args:
        request: of a known caller.
        check_user: raises a problem if the user may not read the index.
    """
    user, known_by = caller(request), identification(request)

    def check() -> None:
        check_user(still_allowed(user, known_by))

    return check


def stream_answer(
    user: User, draft: EventDraft, planned: SearchPlan, check_caller: Callable[[], None], media_type: str
) -> StreamingHttpResponse:
    """The answer with all documents, whose event is recorded first.

    Args:
        check_caller: raises a problem if the caller may not read on; called again before each page.
        media_type: of NDJSON or CSV.
    """
    # The columns are asked for while a failure still has a status of its own.
    columns = columns_of(planned) if media_type == csv_stream.MEDIA_TYPE else None
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
    answer = StreamingHttpResponse(documents, content_type=media_type, headers=headers)
    if columns is not None:
        answer.streaming_content = documents_as_csv(documents, columns, draft.query_id)
        answer["Content-Type"] = csv_stream.CONTENT_TYPE
    return answer
