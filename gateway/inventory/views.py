"""``/inventory``: documents, their children and their history."""

from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from msgspec.structs import replace
from rest_framework.exceptions import NotAuthenticated
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from contracts.query_event.event import MAX_TARGET_IDS
from gateway.audit.draft import EventDraft
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT
from gateway.http.fields import checked
from gateway.http.json_media import MERGE_PATCH, parsers_of
from gateway.http.openapi import INDEX, KNOWN, asked, operation
from gateway.http.problems import malformed
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller
from gateway.inventory import headers, writes
from gateway.inventory.base_views import REVALIDATED, InventoryView
from gateway.inventory.batch import Author, Written
from gateway.inventory.cache import read_document
from gateway.inventory.consistency import TOKEN, wait_for_change
from gateway.inventory.declarations import DeclaredType
from gateway.inventory.documents import MAX_BYTES
from gateway.inventory.export import columns_of, documents_as_csv, without_embedded
from gateway.inventory.history import MAX_PAGE, index_state, read_history, read_live, read_row, read_version
from gateway.inventory.models import Change, Document, Operation
from gateway.inventory.parsers import DocumentParser, PatchParser, body_of
from gateway.inventory.preconditions import Preconditions, State, etag
from gateway.inventory.schema import Child, ChildList, HistoryAnswer, Version, VersionAnswer
from gateway.inventory.serializers import ListParameters, ListStreamParameters, RestoreSerializer
from gateway.inventory.type_views import TYPE
from gateway.inventory.writes import find_place
from gateway.search import csv_stream, streams
from gateway.search.pipeline import page_answer, plan_on, run
from gateway.search.request import SearchRequest
from gateway.search.schema import SearchAnswer
from gateway.search.views import LISTS, caller_check, stream_answer, stream_type

_MAX_PAGE_BYTES = 8 * 1024 * 1024
"""Of the documents of a page of children; the one that goes beyond is the last."""
_CHUNK = 10
_operation = partial(operation, group="Inventory")
_JSON = "application/json"
_OBJECT = {"type": "object"}
_ID = OpenApiParameter("document_id", str, OpenApiParameter.PATH, description="The document's id.")
_CHILD = OpenApiParameter("child_type", str, OpenApiParameter.PATH, description="The type of the documents below it.")
_CHILD_ID = OpenApiParameter("child_id", str, OpenApiParameter.PATH, description="The id of the document below it.")
_VERSION = OpenApiParameter("version", int, OpenApiParameter.PATH, description="The version.")
_BEFORE = OpenApiParameter("before", int, description="Only versions before this one.")
_AFTER = OpenApiParameter("after", str, description="Only documents after this id.")


_WRITE = (*KNOWN, *INDEX, 400, 409, 412, 422, 428)
_CHANGE = (*_WRITE, 410)
_READ = (*KNOWN, *INDEX, 410, 412)
_WRITTEN = {
    (200, _JSON): OpenApiResponse(_OBJECT, "The document as it is now, and its ETag."),
    204: OpenApiResponse(description="As 200, with Prefer: return=minimal."),
}
_CREATED = {(201, _JSON): OpenApiResponse(_OBJECT, "The new document, its ETag and its Location.")}
_DELETED = {204: OpenApiResponse(description="The document is deleted; its history stays.")}
_READ_ANSWERS = {
    (200, _JSON): OpenApiResponse(_OBJECT, "The document, and its ETag."),
    304: OpenApiResponse(description="You have this version."),
}
_BODY = {_JSON: _OBJECT}
_STREAM = {
    (200, streams.MEDIA_TYPE): OpenApiResponse(
        {"type": "string"}, "Every document that matches, a line each, where Accept asks for it; see POST /search."
    ),
    (200, csv_stream.MEDIA_TYPE): OpenApiResponse({"type": "string"}, "The same as CSV, where Accept is text/csv."),
}


class _OneDocument(InventoryView):
    """One document, by whatever path."""

    max_body_bytes = MAX_BYTES

    def get_parsers(self) -> list[BaseParser]:
        """Read patches where they patch, and documents where they replace."""
        return parsers_of(self.request, DocumentParser, PatchParser)

    def read(self, request: Request, name: str, document_id: str, above: tuple[str, str] | None = None) -> HttpResponse:
        """Answer with the document at a place."""
        place, draft = self.reader(request, name, document_id, above)
        preconditions = Preconditions.of(request)
        # What a client has seen or written may be newer than the cache.
        is_exact = TOKEN in request.headers or preconditions != Preconditions() or above is not None
        found = read_document(place, is_exact=is_exact)
        is_fresh = preconditions.is_fresh(State(found.version, is_live=True))
        draft.status = HTTPStatus.NOT_MODIFIED if is_fresh else HTTPStatus.OK
        assert draft.target is not None
        draft.target = replace(draft.target, version=found.version)
        record_event(draft)
        headers = {"ETag": etag(found.version)} | (REVALIDATED if place.declared.is_public else NOT_KEPT)
        if is_fresh:
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return HttpResponse(found.body, _JSON, headers=headers)

    def store(
        self, request: Request, name: str, document_id: str, above: tuple[str, str] | None = None
    ) -> HttpResponse:
        """Create or replace the document at a place."""
        draft = self.writer(request, name, document_id)
        body, preconditions = body_of(request), Preconditions.of(request)

        def work(author: Author) -> Written:
            return writes.put(find_place(name, document_id, above), body.value, preconditions, author)

        return self.answer_write(request, draft, body.text, work)

    def change(
        self, request: Request, name: str, document_id: str, above: tuple[str, str] | None = None
    ) -> HttpResponse:
        """Patch the document at a place."""
        draft = self.writer(request, name, document_id)
        body, preconditions = body_of(request), Preconditions.of(request)

        def work(author: Author) -> Written:
            return writes.patch(find_place(name, document_id, above), body.value, preconditions, author)

        return self.answer_write(request, draft, body.text, work)

    def remove(
        self, request: Request, name: str, document_id: str, above: tuple[str, str] | None = None
    ) -> HttpResponse:
        """Delete the document at a place."""
        draft, preconditions = self.writer(request, name, document_id), Preconditions.of(request)

        def work(author: Author) -> Written:
            return writes.delete(find_place(name, document_id, above), preconditions, author)

        return self.answer_write(request, draft, b"", work)


class DocumentView(_OneDocument):
    """One document."""

    @_operation(
        "inventory_document",
        None,
        problems=(400, *_READ),
        also=_READ_ANSWERS,
        parameters=[TYPE, _ID, headers.KNOWN_VERSION, *headers.READ],
    )
    def get(self, request: Request, type_name: str, document_id: str) -> HttpResponse:
        """Read a document.

        From the database, so that it has every change that was answered; or, where there is a cache, at most a minute
        old, unless the request has `X-Consistency-Token` or a precondition.
        """
        return self.read(request, type_name, document_id)

    @_operation(
        "put_inventory_document",
        None,
        _BODY,
        problems=(*_WRITE, 413, 415),
        also=_WRITTEN | _CREATED,
        parameters=[
            TYPE,
            _ID,
            headers.IF_MATCH,
            headers.IF_NONE_MATCH,
            headers.KEY,
            headers.PREFER,
            *headers.WRITTEN,
            *headers.CREATED,
        ],
    )
    def put(self, request: Request, type_name: str, document_id: str) -> HttpResponse:
        """Create or replace a document.

        To replace one takes `If-Match` with its ETag.
        """
        return self.store(request, type_name, document_id)

    @_operation(
        "patch_inventory_document",
        None,
        {MERGE_PATCH: _OBJECT},
        problems=(*_CHANGE, 413, 415),
        also=_WRITTEN,
        parameters=[TYPE, _ID, headers.IF_MATCH, headers.KEY, headers.PREFER, *headers.WRITTEN],
    )
    def patch(self, request: Request, type_name: str, document_id: str) -> HttpResponse:
        """Change members of a document.

        By a merge patch (RFC 7396): null takes a member away.
        """
        return self.change(request, type_name, document_id)

    @_operation(
        "delete_inventory_document",
        None,
        problems=_CHANGE,
        also=_DELETED,
        parameters=[TYPE, _ID, headers.IF_MATCH, headers.KEY, *headers.TOKENED],
    )
    def delete(self, request: Request, type_name: str, document_id: str) -> HttpResponse:
        """Delete a document.

        Its versions go on where it is created again.
        """
        return self.remove(request, type_name, document_id)


class ChildView(_OneDocument):
    """One document at the path of its parent."""

    @_operation(
        "inventory_child",
        None,
        problems=(400, *_READ),
        also=_READ_ANSWERS,
        parameters=[TYPE, _ID, _CHILD, _CHILD_ID, headers.KNOWN_VERSION, *headers.READ],
    )
    def get(self, request: Request, type_name: str, document_id: str, child_type: str, child_id: str) -> HttpResponse:
        """Read a document below another."""
        return self.read(request, child_type, child_id, (type_name, document_id))

    @_operation(
        "put_inventory_child",
        None,
        _BODY,
        problems=(*_WRITE, 413, 415),
        also=_WRITTEN | _CREATED,
        parameters=[
            TYPE,
            _ID,
            _CHILD,
            _CHILD_ID,
            headers.IF_MATCH,
            headers.IF_NONE_MATCH,
            headers.KEY,
            headers.PREFER,
            *headers.WRITTEN,
            *headers.CREATED,
        ],
    )
    def put(self, request: Request, type_name: str, document_id: str, child_type: str, child_id: str) -> HttpResponse:
        """Create or replace a document below another."""
        return self.store(request, child_type, child_id, (type_name, document_id))

    @_operation(
        "patch_inventory_child",
        None,
        {MERGE_PATCH: _OBJECT},
        problems=(*_CHANGE, 413, 415),
        also=_WRITTEN,
        parameters=[TYPE, _ID, _CHILD, _CHILD_ID, headers.IF_MATCH, headers.KEY, headers.PREFER, *headers.WRITTEN],
    )
    def patch(self, request: Request, type_name: str, document_id: str, child_type: str, child_id: str) -> HttpResponse:
        """Change members of a document below another."""
        return self.change(request, child_type, child_id, (type_name, document_id))

    @_operation(
        "delete_inventory_child",
        None,
        problems=_CHANGE,
        also=_DELETED,
        parameters=[TYPE, _ID, _CHILD, _CHILD_ID, headers.IF_MATCH, headers.KEY, *headers.TOKENED],
    )
    def delete(
        self, request: Request, type_name: str, document_id: str, child_type: str, child_id: str
    ) -> HttpResponse:
        """Delete a document below another."""
        return self.remove(request, child_type, child_id, (type_name, document_id))


class _CreatingView(InventoryView):
    """A view that creates documents under ids of their own."""

    parser_classes = (DocumentParser,)
    max_body_bytes = MAX_BYTES

    def create(self, request: Request, name: str, above: tuple[str, str] | None = None) -> HttpResponse:
        """Create a document, under its key or a new id."""
        draft = self.writer(request, name)
        body = body_of(request)

        def work(author: Author) -> Written:
            place = find_place(name, "", above)
            return writes.create(place, body.value, author)

        return self.answer_write(request, draft, body.text, work)


class DocumentsView(_CreatingView):
    """The documents of a type."""

    @_operation(
        "inventory_documents",
        SearchAnswer,
        problems=(400, *KNOWN, *INDEX, 409),
        also=_STREAM,
        parameters=[TYPE, ListParameters, *LISTS],
    )
    def get(self, request: Request, type_name: str) -> HttpResponseBase:
        """Search the documents of a type.

        As `GET /search` of its index; with `Accept: text/csv` as CSV that can be imported again. Without credentials,
        of a public type: at most 100 documents a page, and no cursor.
        """
        place, draft = self.reader(request, type_name)
        parameters = read_parameters(request)
        draft.query = parameters.get("q")
        if request.user.is_authenticated:
            wait_for_change(request, place.declared.index)
        if request.user.is_authenticated and stream_type(request) is not None:
            return self._export(request, draft, place.declared, checked(ListStreamParameters, parameters))
        return self._page(request, draft, place.declared, checked(ListParameters, parameters))

    @_operation(
        "create_inventory_document",
        None,
        _BODY,
        problems=(*_WRITE, 413, 415),
        also=_CREATED,
        parameters=[TYPE, headers.KEY, headers.PREFER, *headers.WRITTEN, *headers.CREATED],
    )
    def post(self, request: Request, type_name: str) -> HttpResponse:
        """Create a document.

        Under the key that is in it, or under a new id if its type has no key.
        """
        return self.create(request, type_name)

    def _export(
        self, request: Request, draft: EventDraft, declared: DeclaredType, asked_for: dict[str, Any]
    ) -> StreamingHttpResponse:
        """All of the answer, as NDJSON or CSV."""
        search = SearchRequest(**asked_for)
        planned = plan_on(declared.index, draft, search)
        columns = columns_of(declared, search.fields)
        check_caller = caller_check(request, lambda user: self.check_reader(user, declared.name))
        answer = stream_answer(caller(request), draft, planned, check_caller, streams.MEDIA_TYPE)
        if stream_type(request) == csv_stream.MEDIA_TYPE:
            answer.streaming_content = documents_as_csv(iter(answer), declared, columns, draft.query_id)
            answer["Content-Type"] = csv_stream.CONTENT_TYPE
        elif declared.embed and search.fields is None:
            answer.streaming_content = without_embedded(iter(answer), declared)
        return answer

    def _page(self, request: Request, draft: EventDraft, declared: DeclaredType, asked_for: dict[str, Any]) -> Response:
        """A page of the answer; of one that an unknown caller reads, the event has the ids."""
        search = SearchRequest(**asked_for)
        user = caller(request) if request.user.is_authenticated else None
        if user is None:
            _check_unknown(search)
        planned = plan_on(declared.index, draft, search)
        with run(user, draft, planned) as page:
            if user is None and draft.target is not None:
                draft.target = replace(draft.target, id=list(page.ids))
            record_event(draft)
        headers = REVALIDATED if declared.is_public else NOT_KEPT
        return Response(page_answer(draft, planned, page), headers=headers)


class ChildrenView(_CreatingView):
    """The documents of one type below a document."""

    @_operation(
        "inventory_children",
        ChildList,
        problems=(400, *_READ),
        parameters=[TYPE, _ID, _CHILD, _AFTER],
    )
    def get(self, request: Request, type_name: str, document_id: str, child_type: str) -> Response:
        """List documents below another.

        From the database, in the order of their ids.
        """
        place, draft = self.reader(request, child_type, "", (type_name, document_id))
        after = _parameter(request, "after") or ""
        parent = read_live(find_place(type_name, document_id))
        rows = parent.children.filter(type=child_type, body__isnull=False, document_id__gt=after)
        page: list[Document] = []
        length, is_last = 0, True
        for row in rows.order_by("document_id")[: MAX_PAGE + 1].iterator(_CHUNK):
            if len(page) == MAX_PAGE or length > _MAX_PAGE_BYTES:
                is_last = False
                break
            page.append(row)
            length += len(row.body or "")
        if not request.user.is_authenticated and draft.target is not None:
            draft.target = replace(draft.target, id=[row.document_id for row in page])
        record_event(draft)
        answer: ChildList = {"results": [_child(row) for row in page]}
        if not is_last:
            answer["next"] = page[-1].document_id
        return Response(answer, headers=REVALIDATED if place.declared.is_public else NOT_KEPT)

    @_operation(
        "create_inventory_child",
        None,
        _BODY,
        problems=(*_WRITE, 413, 415),
        also=_CREATED,
        parameters=[TYPE, _ID, _CHILD, headers.KEY, headers.PREFER, *headers.WRITTEN, *headers.CREATED],
    )
    def post(self, request: Request, type_name: str, document_id: str, child_type: str) -> HttpResponse:
        """Create a document below another."""
        return self.create(request, child_type, (type_name, document_id))


class HistoryView(InventoryView):
    """The versions of a document."""

    @_operation("inventory_history", HistoryAnswer, problems=(400, *KNOWN, *INDEX), parameters=[TYPE, _ID, _BEFORE])
    def get(self, request: Request, type_name: str, document_id: str) -> Response:
        """List the versions of a document.

        The newest first, also of one that is deleted: who changed what, and when.
        """
        place, draft = self.history_reader(request, type_name, document_id)
        before = _parameter(request, "before")
        if before is not None and not (before.isdecimal() and before.isascii() and len(before) < 19):
            raise malformed("before: Send the number of a version.")
        row = read_row(place)
        changes = read_history(row, None if before is None else int(before))
        state = index_state(row)
        record_event(draft)
        page = changes[:MAX_PAGE]
        answer: HistoryAnswer = {"index_state": state, "versions": [_version(change) for change in page]}
        if len(changes) > MAX_PAGE:
            answer["next"] = page[-1].version
        return Response(answer, headers=NOT_KEPT)


class VersionView(InventoryView):
    """One version of a document."""

    @_operation("inventory_version", VersionAnswer, problems=(*KNOWN, *INDEX), parameters=[TYPE, _ID, _VERSION])
    def get(self, request: Request, type_name: str, document_id: str, version: int) -> Response:
        """Read one version of a document."""
        place, draft = self.history_reader(request, type_name, document_id)
        change = read_version(place, version)
        assert draft.target is not None
        draft.target = replace(draft.target, version=version)
        record_event(draft)
        answer: VersionAnswer = {**_version(change), "document": _fragment(change.body)}
        return Response(answer, headers=NOT_KEPT)


class RestoreView(InventoryView):
    """Restoring of a version."""

    parser_classes = (DocumentParser,)

    @_operation(
        "restore_inventory_document",
        None,
        RestoreSerializer,
        problems=(*_WRITE, 413),
        also=_WRITTEN | _CREATED,
        parameters=[TYPE, _ID, headers.IF_MATCH, headers.KEY, headers.PREFER, *headers.WRITTEN],
        examples=[asked("the third version", {"version": 3})],
    )
    def post(self, request: Request, type_name: str, document_id: str) -> HttpResponse:
        """Restore a version of a document.

        As a new version; a document that was deleted is there again.
        """
        draft = self.writer(request, type_name, document_id)
        body, preconditions = body_of(request), Preconditions.of(request)
        version = checked(RestoreSerializer, body.value)["version"]

        def work(author: Author) -> Written:
            return writes.restore(find_place(type_name, document_id), version, preconditions, author)

        return self.answer_write(request, draft, body.text, work)


def _check_unknown(search: SearchRequest) -> None:
    """Refuse a search that takes credentials.

    Raises:
        NotAuthenticated: it has a cursor.
        Problem: 400, its page is too long to be counted document by document.
    """
    if search.cursor is not None:
        raise NotAuthenticated
    if search.size > MAX_TARGET_IDS:
        raise malformed(f"size: Without credentials there are at most {MAX_TARGET_IDS} documents a page.")


def _parameter(request: Request, name: str) -> str | None:
    """The one parameter that a query string may have.

    Raises:
        Problem: 400, there are others.
    """
    parameters = read_parameters(request)
    value = parameters.pop(name, None)
    if parameters:
        raise malformed(f"The one parameter is {name}.")
    return value


def _child(row: Document) -> Child:
    return {"id": row.document_id, "version": row.version, "document": _fragment(row.body)}


def _version(change: Change) -> Version:
    return {
        "version": change.version,
        "op": Operation(change.op),
        "at": change.at,
        "actor": change.actor,
        "request_id": change.request_id,
        "changed": change.changed,
    }


def _fragment(body: str | None) -> orjson.Fragment | None:
    return None if body is None else orjson.Fragment(body)
