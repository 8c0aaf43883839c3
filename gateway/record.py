"""What is known of one request so far, and the audit event that it becomes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Self

from django.http import HttpRequest
from rest_framework.request import Request

from audit_sink.event import AuditEvent, EventData, EventError, EventMetadata, EventType, new_event_id
from gateway import __version__
from gateway.auth import identification
from gateway.correlation import Correlation, correlation_of
from gateway.models import User
from gateway.problems import Problem


@dataclass(slots=True)
class QueryRecord:  # pylint: disable=too-many-instance-attributes  # the event has as many
    """One search, value look-up or ``/auth/`` call.

    It is filled in as the request goes on, so that a failed one tells how far it came. ``known`` is who asks, as far as
    that is known; ``authentication`` tells an ``/auth/`` call from a query; ``status`` is that of a success;
    ``is_recorded`` tells that the event is on the trail, which takes one of it.
    """

    query_id: str
    timestamp: datetime
    known: User | None
    authentication: bool
    correlation: Correlation
    metadata: EventMetadata
    query: str | None = None
    index: str | None = None
    dsl: dict[str, Any] | None = None
    hits: int | None = None
    took_ms: int | None = None
    status: HTTPStatus = HTTPStatus.OK
    is_recorded: bool = False

    @classmethod
    def begin(cls, request: Request | HttpRequest, user: User | None, *, authentication: bool = False) -> Self:
        """Mint the event's id, and note who asks, from where.

        Args:
            request: what has come in.
            user: who has been let in, if anybody.
            authentication: whether it is an ``/auth/`` call.
        """
        correlation = correlation_of(request)
        return cls(
            query_id=new_event_id(),
            timestamp=datetime.now(UTC),
            known=user,
            authentication=authentication,
            correlation=correlation,
            metadata=EventMetadata(
                request_id=correlation.request_id,
                trace_id=correlation.trace_id,
                client_ip=request.META.get("REMOTE_ADDR") or None,
                user_agent=request.headers.get("User-Agent"),
                auth_scheme=identification(request).scheme
                if user is not None and isinstance(request, Request)
                else None,
                service="gateway",
                service_version=__version__,
            ),
        )

    @property
    def user(self) -> User:
        """Who asks, where nobody gets who is not known."""
        assert self.known is not None, "the view lets nobody in who is not known"
        return self.known

    def identify(self, user: User, scheme: str) -> None:
        """Note who it is, once that has shown; ``scheme`` is a short name for how."""
        self.known = user
        self.metadata = replace(self.metadata, auth_scheme=scheme)

    def event(self, problem: Problem | None = None) -> AuditEvent:
        """The event of the search as it ended.

        Args:
            problem: why it has no success, or None.
        """
        status = self.status if problem is None else problem.status
        return AuditEvent(
            event_id=self.query_id,
            event_type=auth_event_type(status) if self.authentication else event_type(status),
            timestamp=self.timestamp,
            user_id=None if self.known is None else self.known.get_username(),
            data=EventData(
                query=self.query,
                index=self.index,
                dsl=self.dsl,
                hits=self.hits,
                took_ms=self.took_ms,
                status=status.value,
                error=None if problem is None else EventError(problem.code.value, problem.detail),
            ),
            metadata=self.metadata,
        )


def event_type(status: HTTPStatus) -> EventType:
    """What a search that ended with this status counts as."""
    if status < HTTPStatus.BAD_REQUEST:
        return EventType.QUERY_EXECUTED
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return EventType.QUERY_DENIED
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        return EventType.QUERY_THROTTLED
    return EventType.QUERY_REJECTED if status < HTTPStatus.INTERNAL_SERVER_ERROR else EventType.QUERY_FAILED


def auth_event_type(status: HTTPStatus) -> EventType:
    """What an ``/auth/`` call that ended with this status counts as."""
    if status < HTTPStatus.BAD_REQUEST:
        return EventType.AUTH_SUCCEEDED
    return EventType.AUTH_THROTTLED if status is HTTPStatus.TOO_MANY_REQUESTS else EventType.AUTH_FAILED
