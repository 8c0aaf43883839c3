"""``/documents``: one document of an index."""

from functools import partial

import orjson
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from contracts.query_event.event import MAX_DOCUMENT_ID_CHARACTERS, EventTarget
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, AuditedView
from gateway.http.openapi import INDEX, KNOWN, operation
from gateway.identity.authentication import caller
from gateway.identity.authorization import require_index
from gateway.search.elasticsearch import find_document, id_query
from gateway.search.schema import FoundDocument

_TYPE = "document"
"""Type of the event's target in the audit trail."""


class FoundDocumentView(AuditedView):
    """A document as a search finds it."""

    @partial(operation, group="Search")(
        "read_document",
        FoundDocument,
        problems=(*KNOWN, *INDEX),
        parameters=[
            OpenApiParameter("index", str, OpenApiParameter.PATH, description="One that you may search."),
            OpenApiParameter("document_id", str, OpenApiParameter.PATH, description='From `"ids": true` of a search.'),
        ],
    )
    def get(self, request: Request, index: str, document_id: str) -> Response:
        """Read a document that a search has found."""
        draft = self.begin(request)
        draft.index = index
        require_index(caller(request), index)
        draft.dsl = id_query(document_id)
        if len(document_id) <= MAX_DOCUMENT_ID_CHARACTERS:
            draft.target = EventTarget(_TYPE, document_id)
        page = find_document(index, document_id)
        draft.hits, draft.took_ms = page.count, page.took_ms
        record_event(draft)
        answer: FoundDocument = {
            "query_id": draft.query_id,
            "index": index,
            "id": document_id,
            "document": orjson.Fragment(page.results[0]),
        }
        return Response(answer, headers=NOT_KEPT)
