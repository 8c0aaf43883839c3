"""``/searches`` and ``/collections``: what the caller has saved, and what is shared with them.

Not on the audit trail as reads, since they show no data of an index; each change is, by its row in the outbox.
"""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.draft import Subject
from gateway.audit.views import NOT_KEPT, RefusalsAuditedView
from gateway.http.endpoints import SMALL_BODY_BYTES
from gateway.http.fields import StrictSerializer, checked, read_uuid
from gateway.http.json_media import MERGE_PATCH, JSONParser, parsers_of
from gateway.http.openapi import KNOWN, asked, operation
from gateway.http.problems import malformed
from gateway.http.query_string import read_parameters
from gateway.identity.administration import IF_MATCH, MergePatchParser
from gateway.identity.authentication import caller
from gateway.identity.models import User
from gateway.inventory.documents import WHOLE
from gateway.inventory.headers import KNOWN_VERSION, READ
from gateway.inventory.preconditions import Preconditions, State, etag
from gateway.inventory.transactions import transact
from gateway.saved import changes
from gateway.saved.changes import Author
from gateway.saved.models import Kind, Saved, ShareRole, Watch
from gateway.saved.schema import (
    CollectionAnswer,
    CollectionList,
    OneCollection,
    OneWatch,
    SavedSearch,
    SearchList,
    SearchSummary,
    WatchAnswer,
)
from gateway.saved.serializers import (
    MAX_BODY_BYTES,
    CollectionMembersSerializer,
    CollectionPatchSerializer,
    ListParameters,
    PlaceSerializer,
    SearchMembersSerializer,
    SearchPatchSerializer,
    WatchSerializer,
)
from gateway.saved.visibility import find, find_locked, orphaned, role_of, seen_by

MAX_SEARCHES = 200
"""Of a collection."""
MAX_WATCHES = 50
"""Of a user."""

_operation = partial(operation, group="Search")
_SEARCH = OpenApiParameter("search_id", str, OpenApiParameter.PATH, description="The saved search's id.")
_COLLECTION = OpenApiParameter("collection_id", str, OpenApiParameter.PATH, description="The collection's id.")
_CHANGE = (*KNOWN, 400, 403, 404, 412, 428)
_READ_ALSO = {304: OpenApiResponse(description="You have this version.")}
_NO_AGENT = asked(
    "for two colleagues",
    {
        "title": "Servers without an agent",
        "query": 'OS.Type = "Linux" and not Agent exists',
        "index": "devices",
        "columns": ["Hostname", "Ip"],
        "visibility": "users",
        "users": [{"user": "ayse", "role": "editor"}, {"user": "deniz"}],
    },
)
_MINE = asked("for oneself", {"title": "Monday's round"})


class _SavedView(RefusalsAuditedView):
    """A view of searches or collections."""

    subject = Subject.SAVED
    max_body_bytes = MAX_BODY_BYTES
    kind: ClassVar[Kind]

    def get_parsers(self) -> list[BaseParser]:
        """Read patches where they patch alone."""
        return parsers_of(self.request, JSONParser, MergePatchParser)

    def page(self, request: Request) -> tuple[list[Saved], str | None]:
        """A page of those that the caller sees, and what the next one begins with."""
        wanted = checked(ListParameters, read_parameters(request))
        rows = (orphaned if wanted["orphaned"] else seen_by)(caller(request), self.kind)
        if wanted["mine"]:
            rows = rows.filter(owner=caller(request))
        if "before" in wanted:
            rows = rows.filter(pk__lt=wanted["before"])
        found = list(rows.order_by("-pk")[: wanted["size"] + 1])
        page = found[: wanted["size"]]
        return page, str(page[-1].pk) if len(found) > len(page) else None

    def create(self, request: Request, serializer: type[StrictSerializer], **more: Any) -> Response:
        """Keep something new.

        Args:
            more: members that the request does not have.
        """
        wanted = checked(serializer, request.data) | more
        changes.require_sharing(wanted)
        author, now = self.author(request), datetime.now(UTC)
        author.draft.status = HTTPStatus.CREATED
        row = transact(lambda: changes.create(author, self.kind, wanted, now))
        author.draft.is_recorded = True
        answer = described(author.user, row)
        headers = {"ETag": etag(row.version), "Location": f"/{_PATHS[self.kind]}/{row.pk}"}
        return Response(answer, status=HTTPStatus.CREATED, headers=NOT_KEPT | headers)

    def read(self, request: Request, saved_id: str) -> HttpResponse:
        """Show one."""
        row = find(caller(request), self.kind, saved_id)
        headers = NOT_KEPT | {"ETag": etag(row.version)}
        if Preconditions.of(request).is_fresh(State(row.version, is_live=True)):
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(described(caller(request), row), headers=headers)

    def change(self, request: Request, saved_id: str, serializer: type[StrictSerializer]) -> Response:
        """Change members of one."""
        wanted = checked(serializer, request.data)
        return self.write(request, saved_id, lambda _: wanted)

    def write(self, request: Request, saved_id: str, members: Any) -> Response:
        """Change one in a transaction.

        Args:
            members: makes the members to change of the row, which is locked.
        """
        author, now, preconditions = self.author(request), datetime.now(UTC), Preconditions.of(request)

        def work() -> Saved:
            row = find_locked(author.user, self.kind, saved_id)
            preconditions.check_change(State(row.version, is_live=True))
            changes.change(author, row, members(row), now)
            return row

        row = transact(work)
        author.draft.is_recorded = True
        return Response(described(author.user, row), headers=NOT_KEPT | {"ETag": etag(row.version)})

    def remove(self, request: Request, saved_id: str) -> Response:
        """Delete one."""
        author, now, preconditions = self.author(request), datetime.now(UTC), Preconditions.of(request)
        author.draft.status = HTTPStatus.NO_CONTENT

        def work() -> None:
            row = find_locked(author.user, self.kind, saved_id)
            preconditions.check_change(State(row.version, is_live=True))
            changes.delete(author, row, now)

        transact(work)
        author.draft.is_recorded = True
        return Response(status=HTTPStatus.NO_CONTENT)

    def author(self, request: Request) -> Author:
        """The author of the request's change."""
        return Author(caller(request), self.begin(request))


class SearchesView(_SavedView):
    """Saved searches."""

    kind = Kind.SEARCH

    @_operation("saved_searches", SearchList, problems=(*KNOWN, 400, 403), parameters=[ListParameters])
    def get(self, request: Request) -> Response:
        """List saved searches.

        Yours, and those that are shared with you; the newest first.
        """
        rows, following = self.page(request)
        user = caller(request)
        watches = {watch.saved_id: watch for watch in Watch.objects.filter(user=user, saved__in=rows).defer("hashes")}
        searches = [_summary(user, row, watches.get(row.pk)) for row in rows]
        return Response(SearchList(searches=searches, next=following), headers=NOT_KEPT)

    @_operation("save_search", SavedSearch, SearchMembersSerializer, status=201, examples=[_NO_AGENT])
    def post(self, request: Request) -> Response:
        """Save a search.

        Nothing is run: whoever opens it runs it with their own rights. Those who are named are told.
        """
        return self.create(request, SearchMembersSerializer)


class SearchView(_SavedView):
    """One saved search."""

    kind = Kind.SEARCH

    @_operation(
        "saved_search",
        SavedSearch,
        problems=(*KNOWN, 400, 404, 412),
        also=_READ_ALSO,
        parameters=[_SEARCH, KNOWN_VERSION, *READ],
    )
    def get(self, request: Request, search_id: str) -> HttpResponse:
        """Show a saved search.

        One that is not shared with you is not there for you (404).
        """
        return self.read(request, search_id)

    @_operation(
        "replace_saved_search",
        SavedSearch,
        SearchMembersSerializer,
        problems=_CHANGE,
        parameters=[_SEARCH, IF_MATCH],
        examples=[_NO_AGENT],
    )
    def put(self, request: Request, search_id: str) -> Response:
        """Replace a saved search.

        Editors change everything but with whom it is shared.
        """
        return self.change(request, search_id, SearchMembersSerializer)

    @_operation(
        "change_saved_search",
        SavedSearch,
        {MERGE_PATCH: SearchPatchSerializer},
        problems=_CHANGE,
        parameters=[_SEARCH, IF_MATCH],
    )
    def patch(self, request: Request, search_id: str) -> Response:
        """Change members of a saved search.

        A merge patch (RFC 7396): members that are not sent stay.
        """
        return self.change(request, search_id, SearchPatchSerializer)

    @_operation(
        "delete_saved_search",
        None,
        problems=_CHANGE,
        also={204: OpenApiResponse(description="The search is deleted, and nobody watches it any more.")},
        parameters=[_SEARCH, IF_MATCH],
    )
    def delete(self, request: Request, search_id: str) -> Response:
        """Delete a saved search.

        Collections keep its place, where it is not shown.
        """
        return self.remove(request, search_id)


class WatchView(_SavedView):
    """The caller's watch of a saved search."""

    kind = Kind.SEARCH
    max_body_bytes = SMALL_BODY_BYTES

    @_operation("watch_search", OneWatch, WatchSerializer, problems=(*KNOWN, 404), parameters=[_SEARCH])
    def put(self, request: Request, search_id: str) -> Response:
        """Watch a saved search.

        The worker runs it every `interval` seconds with your rights, and tells you of new and gone documents. The first
        look tells nothing. A search that finds more than 10,000 documents is not watched: `problem` says so.
        """
        wanted = checked(WatchSerializer, request.data)
        author, now = self.author(request), datetime.now(UTC)

        def work() -> Watch:
            row = find(author.user, self.kind, search_id)
            author.user.lock()
            watch = Watch.objects.defer("hashes").filter(saved=row, user=author.user).first()
            if watch is not None and watch.interval == wanted["interval"]:
                return watch
            if watch is None:
                if Watch.objects.filter(user=author.user).count() >= MAX_WATCHES:
                    raise malformed(f"You watch {MAX_WATCHES} searches, which is as many as there may be; end a watch.")
                watch = Watch(saved=row, user=author.user)
            watch.interval, watch.next_at = wanted["interval"], now
            # What the worker has found meanwhile stays.
            watch.save(update_fields=None if watch.pk is None else ["interval", "next_at"])
            changes.record_watch(author, row, ["/interval"])
            return watch

        watch = transact(work)
        author.draft.is_recorded = True
        return Response(_described_watch(watch), headers=NOT_KEPT)

    @_operation(
        "end_watch",
        None,
        problems=(*KNOWN, 404),
        also={204: OpenApiResponse(description="You do not watch it any more.")},
        parameters=[_SEARCH],
    )
    def delete(self, request: Request, search_id: str) -> Response:
        """End a watch.

        One that there is not is ended as well.
        """
        author = self.author(request)
        author.draft.status = HTTPStatus.NO_CONTENT

        def work() -> None:
            row = find(author.user, self.kind, search_id)
            author.user.lock()
            if Watch.objects.filter(saved=row, user=author.user).delete()[0]:
                changes.record_watch(author, row, [WHOLE])

        transact(work)
        author.draft.is_recorded = True
        return Response(status=HTTPStatus.NO_CONTENT)


class CollectionsView(_SavedView):
    """Collections."""

    kind = Kind.COLLECTION

    @_operation("collections", CollectionList, problems=(*KNOWN, 400, 403), parameters=[ListParameters])
    def get(self, request: Request) -> Response:
        """List collections.

        Yours, and those that are shared with you; the newest first.
        """
        rows, following = self.page(request)
        user = caller(request)
        collections = [cast(CollectionAnswer, {**_item(user, row), **row.content}) for row in rows]
        return Response(CollectionList(collections=collections, next=following), headers=NOT_KEPT)

    @_operation("make_collection", OneCollection, CollectionMembersSerializer, status=201, examples=[_MINE])
    def post(self, request: Request) -> Response:
        """Make a collection.

        To share it shares none of its searches.
        """
        return self.create(request, CollectionMembersSerializer, searches=[])


class CollectionView(_SavedView):
    """One collection."""

    kind = Kind.COLLECTION

    @_operation(
        "collection",
        OneCollection,
        problems=(*KNOWN, 400, 404, 412),
        also=_READ_ALSO,
        parameters=[_COLLECTION, KNOWN_VERSION, *READ],
    )
    def get(self, request: Request, collection_id: str) -> HttpResponse:
        """Show a collection.

        One that is not shared with you is not there for you (404).
        """
        return self.read(request, collection_id)

    @_operation(
        "replace_collection",
        OneCollection,
        CollectionMembersSerializer,
        problems=_CHANGE,
        parameters=[_COLLECTION, IF_MATCH],
        examples=[_MINE],
    )
    def put(self, request: Request, collection_id: str) -> Response:
        """Replace a collection.

        Its searches stay as they are.
        """
        return self.change(request, collection_id, CollectionMembersSerializer)

    @_operation(
        "change_collection",
        OneCollection,
        {MERGE_PATCH: CollectionPatchSerializer},
        problems=_CHANGE,
        parameters=[_COLLECTION, IF_MATCH],
    )
    def patch(self, request: Request, collection_id: str) -> Response:
        """Change members of a collection.

        A merge patch (RFC 7396): members that are not sent stay.
        """
        return self.change(request, collection_id, CollectionPatchSerializer)

    @_operation(
        "delete_collection",
        None,
        problems=_CHANGE,
        also={204: OpenApiResponse(description="The collection is deleted; its searches stay.")},
        parameters=[_COLLECTION, IF_MATCH],
    )
    def delete(self, request: Request, collection_id: str) -> Response:
        """Delete a collection."""
        return self.remove(request, collection_id)


class PlaceView(_SavedView):
    """The place of a search in a collection."""

    kind = Kind.COLLECTION
    max_body_bytes = SMALL_BODY_BYTES

    @_operation(
        "put_into_collection",
        OneCollection,
        PlaceSerializer,
        problems=_CHANGE,
        parameters=[_COLLECTION, _SEARCH, IF_MATCH],
        examples=[asked("at the end", {})],
    )
    def put(self, request: Request, collection_id: str, search_id: str) -> Response:
        """Put a search into a collection, or elsewhere in it."""
        before: UUID | None = checked(PlaceSerializer, request.data)["before"]

        def members(row: Saved) -> dict[str, Any]:
            search = str(find(caller(request), Kind.SEARCH, search_id).pk)
            searches = [each for each in row.content["searches"] if each != search]
            if before is not None and str(before) not in searches:
                raise malformed("before: The collection has no other search of this id.")
            if len(searches) >= MAX_SEARCHES:
                raise malformed(f"A collection has at most {MAX_SEARCHES} searches; take some out.")
            searches.insert(len(searches) if before is None else searches.index(str(before)), search)
            return {"searches": searches}

        return self.write(request, collection_id, members)

    @_operation(
        "take_from_collection",
        OneCollection,
        problems=_CHANGE,
        parameters=[_COLLECTION, _SEARCH, IF_MATCH],
    )
    def delete(self, request: Request, collection_id: str, search_id: str) -> Response:
        """Take a search out of a collection.

        The search itself stays. One that is not in it is out already.
        """

        search = str(read_uuid(search_id))

        def members(row: Saved) -> dict[str, Any]:
            return {"searches": [each for each in row.content["searches"] if each != search]}

        return self.write(request, collection_id, members)


_PATHS = {Kind.SEARCH: "searches", Kind.COLLECTION: "collections"}


def described(user: User, row: Saved) -> Any:
    """A search or a collection as a user sees it."""
    answer: dict[str, Any] = {**_item(user, row), **row.content}
    if answer["role"] is not ShareRole.VIEWER:
        answer["users"] = changes.members_of(row)["users"]
    return answer


def _item(user: User, row: Saved) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "title": row.title,
        "description": row.description,
        "owner": None if row.owner is None else row.owner.username,
        "role": role_of(user, row),
        "visibility": row.visibility,
        "version": row.version,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _summary(user: User, row: Saved, watch: Watch | None) -> SearchSummary:
    shown = None if watch is None else _described_watch(watch)
    return cast(SearchSummary, {**_item(user, row), "index": row.content["index"], "watch": shown})


def _described_watch(watch: Watch) -> WatchAnswer:
    return {"interval": watch.interval, "looked_at": watch.looked_at, "problem": watch.problem or None}
