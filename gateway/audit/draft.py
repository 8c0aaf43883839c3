"""Draft of an audit event: filled in as its request goes on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, Self

from django.http import HttpRequest
from msgspec.structs import replace
from rest_framework.request import Request

from contracts.query_event.event import (
    SCHEMA_VERSION,
    AuditEvent,
    EventData,
    EventError,
    EventMetadata,
    EventTarget,
    EventType,
    new_event_id,
    rfc3339,
    write_dsl,
)
from gateway.http.correlation import current_correlation
from gateway.http.problems import Problem
from kit import __version__


class Subject(Enum):
    """Subject of a request's event, on which its type depends."""

    QUERY = auto()
    AUTHENTICATION = auto()
    INVENTORY = auto()
    SAVED = auto()


@dataclass(slots=True)
class EventDraft:  # pylint: disable=too-many-instance-attributes  # the event has as many
    """Draft of the event of one request, so that a failed one tells how far it came.

    Attributes:
        query_id: id of the event.
        user_name: name of the caller; None while the caller is unknown.
        is_change: whether it is a change that an operator has made.
        target: the document of the inventory that it is about, or the type.
        status: status of the answer, if it is a success.
        is_recorded: whether the event is on the trail, which takes one of it.
    """

    query_id: str
    timestamp: datetime
    user_name: str | None
    subject: Subject
    metadata: EventMetadata
    query: str | None = None
    index: str | None = None
    dsl: dict[str, Any] | None = None
    hits: int | None = None
    took_ms: int | None = None
    is_change: bool = False
    target: EventTarget | None = None
    status: HTTPStatus = HTTPStatus.OK
    is_recorded: bool = False

    @classmethod
    def begin(cls, request: Request | HttpRequest, user_name: str | None, subject: Subject = Subject.QUERY) -> Self:
        """Mint the event's id, and note the caller and the address.

        Args:
            request: what has come in.
            user_name: name of the caller who has been let in, or None.
            subject: what the event is about.
        """
        correlation = current_correlation()
        return cls(
            query_id=new_event_id(),
            timestamp=datetime.now(UTC),
            user_name=user_name,
            subject=subject,
            metadata=EventMetadata(
                request_id=correlation.request_id,
                trace_id=correlation.trace_id,
                client_ip=request.META.get("REMOTE_ADDR") or None,
                user_agent=request.META.get("HTTP_USER_AGENT"),
                auth_scheme=_scheme(request) if user_name is not None and isinstance(request, Request) else None,
                service="gateway",
                service_version=__version__,
            ),
        )

    def identify(self, user_name: str, scheme: str) -> None:
        """Note the caller, once that has shown; ``scheme`` is a short name of the credential."""
        self.user_name = user_name
        self.metadata = replace(self.metadata, auth_scheme=scheme)

    def note_changes(self, changes: Iterable[str]) -> None:
        """Note what an operator has changed, in words; the event is about that."""
        self.query, self.is_change = "; ".join(changes), True

    def event(self, problem: Problem | None = None) -> AuditEvent:
        """The event of the search as it ended.

        Args:
            problem: why it has no success, or None.
        """
        status = self.status if problem is None else problem.status
        return AuditEvent(
            event_id=self.query_id,
            event_type=self._event_type(status),
            schema_version=SCHEMA_VERSION,
            timestamp=rfc3339(self.timestamp),
            user_id=self.user_name,
            data=EventData(
                query=self.query,
                index=self.index,
                dsl=write_dsl(self.dsl),
                hits=self.hits,
                took_ms=self.took_ms,
                status=status.value,
                error=None if problem is None else EventError(problem.code.value, problem.detail),
                target=self.target,
            ),
            metadata=self.metadata,
        )

    def _event_type(self, status: HTTPStatus) -> EventType:
        if self.is_change:
            return EventType.ADMIN_CHANGED
        return _EVENT_TYPES[self.subject](status)


def _scheme(request: Request) -> str:
    """Scheme by which the caller was identified, as the room ``identity`` leaves it on the request."""
    scheme: str = request.auth.scheme  # type: ignore[union-attr]  # no token of the framework's own
    return scheme


def event_type(status: HTTPStatus) -> EventType:
    """Type of the event of a search that ended with this status."""
    if status < HTTPStatus.BAD_REQUEST:
        return EventType.QUERY_EXECUTED
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return EventType.QUERY_DENIED
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        return EventType.QUERY_THROTTLED
    return EventType.QUERY_REJECTED if status < HTTPStatus.INTERNAL_SERVER_ERROR else EventType.QUERY_FAILED


def auth_event_type(status: HTTPStatus) -> EventType:
    """Type of the event of an ``/auth/`` call that ended with this status."""
    if status < HTTPStatus.BAD_REQUEST:
        return EventType.AUTH_SUCCEEDED
    return EventType.AUTH_THROTTLED if status is HTTPStatus.TOO_MANY_REQUESTS else EventType.AUTH_FAILED


def inventory_event_type(status: HTTPStatus) -> EventType:
    """Type of the event of a request about the inventory that ended with this status, and changed nothing."""
    return EventType.INVENTORY_READ if status < HTTPStatus.BAD_REQUEST else EventType.INVENTORY_DENIED


def saved_event_type(status: HTTPStatus) -> EventType:
    """Type of the event of a request about saved searches that ended with this status; a refused one is a query's."""
    return EventType.SAVED_CHANGED if status < HTTPStatus.BAD_REQUEST else event_type(status)


_EVENT_TYPES = {
    Subject.QUERY: event_type,
    Subject.AUTHENTICATION: auth_event_type,
    Subject.INVENTORY: inventory_event_type,
    Subject.SAVED: saved_event_type,
}
