"""Base class of the inventory's views: who may do what with a type, and how a request's event and answer are made.

A change needs no event of its own: its row becomes one. So a write that has changed something is answered when its
transaction is committed, whatever else is down.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpResponse
from msgspec.structs import asdict
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from contracts.query_event.event import EventTarget
from gateway.audit.draft import EventDraft, Subject
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, AuditedView
from gateway.http.problems import Code, Problem
from gateway.identity.authentication import caller
from gateway.identity.authorization import has_role, searchable_indices
from gateway.identity.models import Role, User
from gateway.inventory import metrics
from gateway.inventory.batch import Author, Result, Written
from gateway.inventory.catalogue import read_catalogue
from gateway.inventory.consistency import TOKEN
from gateway.inventory.declarations import DeclaredType
from gateway.inventory.idempotency import Answer, IdempotentRequest, digest_of, read_key
from gateway.inventory.preconditions import etag
from gateway.inventory.transactions import transact
from gateway.inventory.writes import Place, find_place, unknown_type

REVALIDATED = {"Cache-Control": "private, no-cache"}
"""The headers of an answer that may be kept, and is asked for again at each look, so that each is counted."""
_MINIMAL = "return=minimal"
_MAX_USER_AGENT = 1_024


def may_write(user: User, name: str) -> bool:
    """Whether a user may write the documents of a type."""
    return has_role(user, Role.ADMIN) or name in user.writable_types


def may_read(user: User, declared: DeclaredType) -> bool:
    """Whether a user may read the documents of a type."""
    return declared.is_public or may_read_history(user, declared)


def may_read_history(user: User, declared: DeclaredType) -> bool:
    """Whether a user may read who changed the documents of a type: as its index, or because they may write them.

    That a type is public does not show the names of those who write it.
    """
    return declared.index in searchable_indices(user) or may_write(user, declared.name)


def _refused(user: User, name: str, what: str) -> Problem:
    """The problem of a user without the right; the same whether the type exists or not, except for administrators."""
    if has_role(user, Role.ADMIN):
        return unknown_type(name)
    return Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, f'You may not {what} the type "{name[:128]}".')


class InventoryView(AuditedView):
    """A view of the inventory, which says itself whom it lets in: types can be public."""

    permission_classes = ()
    subject = Subject.INVENTORY

    def known(self, request: Request) -> EventDraft:
        """Let a known caller in.

        Returns:
            the draft of the event.

        Raises:
            NotAuthenticated: the caller is unknown.
        """
        if not request.user.is_authenticated:
            raise NotAuthenticated
        return self.begin(request)

    def reader(
        self, request: Request, name: str, document_id: str = "", above: tuple[str, str] | None = None
    ) -> tuple[Place, EventDraft]:
        """Let somebody in who may read a type; whoever that is, if it is public.

        Args:
            above: type and id of the document that the path has above it.

        Returns:
            the place of what is read, and the draft of the event.

        Raises:
            NotAuthenticated: the caller is unknown, and the type not public.
            Problem: 403, 404.
        """
        declared = read_catalogue().types.get(name)
        if request.user.is_authenticated:
            draft = self.begin(request)
            draft.target = _target(name, document_id)
            self.check_reader(caller(request), name)
        elif declared is not None and declared.is_public:
            draft = EventDraft.begin(request, None, self.subject)
            draft.target = _target(name, document_id)
        else:
            raise NotAuthenticated
        return find_place(name, document_id, above), draft

    def check_reader(self, user: User, name: str) -> None:
        """Refuse a user who may not read a type.

        Raises:
            Problem: 403; 404 for an administrator.
        """
        _check(user, name, may_read, "read")

    def history_reader(self, request: Request, name: str, document_id: str) -> tuple[Place, EventDraft]:
        """Let somebody in who may read the history of a type.

        Raises:
            NotAuthenticated: the caller is unknown.
            Problem: 403, 404.
        """
        self.known(request)
        place, draft = self.reader(request, name, document_id)
        self.check_history_reader(caller(request), name)
        return place, draft

    def check_history_reader(self, user: User, name: str) -> None:
        """Refuse a user who may not read the history of a type.

        Raises:
            Problem: 403; 404 for an administrator.
        """
        _check(user, name, may_read_history, "read the history of")

    def writer(self, request: Request, name: str, document_id: str = "") -> EventDraft:
        """Let somebody in who may write a type; its place is found in the transaction.

        Raises:
            NotAuthenticated: the caller is unknown.
            Problem: 403.
        """
        draft = self.known(request)
        draft.target = _target(name, document_id)
        self.check_writer(caller(request), name)
        return draft

    def check_writer(self, user: User, name: str) -> None:
        """Refuse a user who may not write a type.

        Raises:
            Problem: 403.
        """
        if not may_write(user, name):
            raise _refused(user, name, "write")

    def administrator(self, request: Request, name: str, what: str = "declare types") -> EventDraft:
        """Let an administrator in.

        Args:
            what: what only administrators do here.

        Raises:
            NotAuthenticated: the caller is unknown.
            Problem: 403.
        """
        draft = self.known(request)
        draft.target = _target(name, "")
        if not has_role(caller(request), Role.ADMIN):
            raise Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, f"Only administrators {what}.")
        return draft

    def answer_write(
        self, request: Request, draft: EventDraft, body: bytes, work: Callable[[Author], Written]
    ) -> HttpResponse:
        """Do a write in one transaction, and answer it.

        Args:
            body: of the request.
            work: writes; may be called several times.
        """
        author = author_of(request, draft)
        is_minimal = _MINIMAL in request.headers.get("Prefer", "")
        attempts: list[Written] = []

        def write() -> Answer:
            attempts.append(work(author))
            return _answer(attempts[-1], is_minimal=is_minimal)

        key = read_key(request)
        if key is None:
            answer, is_repeated = transact(write), False
        else:
            known = IdempotentRequest(caller(request), key, digest_of(request, body))
            answer, is_repeated = transact(lambda: known.answer(write))
        draft.status = answer.status
        if not is_repeated:
            metrics.WRITES.labels(attempts[-1].result.value).inc()
        if not is_repeated and attempts[-1].change_id is not None:
            # Its row is its event.
            draft.is_recorded = True
        else:
            record_event(draft)
        return _response(answer)


def _check(user: User, name: str, may: Callable[[User, DeclaredType], bool], what: str) -> None:
    declared = read_catalogue().types.get(name)
    if declared is None or not may(user, declared):
        raise _refused(user, name, what)


def author_of(request: Request, draft: EventDraft) -> Author:
    """The author of a request's changes.

    Their rows keep as much of its user agent as an event has, and not the 64 KiB that a header may have.
    """
    metadata = asdict(draft.metadata)
    if metadata["user_agent"] is not None:
        metadata["user_agent"] = metadata["user_agent"][:_MAX_USER_AGENT]
    return Author(caller(request).get_username(), draft.metadata.request_id, metadata)


def _target(name: str, document_id: str) -> EventTarget:
    return EventTarget(name[:128], document_id[:128] or None)


def _answer(written: Written, *, is_minimal: bool) -> Answer:
    token = {} if written.change_id is None else {TOKEN: str(written.change_id)}
    if written.text is None:
        return Answer(HTTPStatus.NO_CONTENT, token)
    headers = {"ETag": etag(written.version)} | token
    status = HTTPStatus.OK
    if written.result is Result.CREATED:
        status = HTTPStatus.CREATED
        headers["Location"] = f"/inventory/{written.type}/{written.document_id}"
    if is_minimal:
        headers["Preference-Applied"] = _MINIMAL
        return Answer(status if status is HTTPStatus.CREATED else HTTPStatus.NO_CONTENT, headers)
    return Answer(status, headers, written.text)


def _response(answer: Answer) -> HttpResponse:
    headers = answer.headers | NOT_KEPT
    if not answer.body:
        response = HttpResponse(status=answer.status, headers=headers)
        del response["Content-Type"]
        return response
    return HttpResponse(answer.body, "application/json", answer.status, headers=headers)
