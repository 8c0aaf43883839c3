"""What is known of one search or value look-up so far, and the audit event that it becomes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Self

from rest_framework.request import Request

from audit_sink.event import AuditEvent, EventData, EventError, EventMetadata, EventType, new_event_id
from gateway import __version__
from gateway.auth import caller
from gateway.correlation import Correlation, correlation_of
from gateway.models import User
from gateway.problems import Problem


@dataclass(slots=True)
class QueryRecord:  # pylint: disable=too-many-instance-attributes  # the event has as many
    """One search or value look-up by a known caller.

    It is filled in as the request goes on, so that a failed one tells how far it came.
    """

    query_id: str
    timestamp: datetime
    user: User
    correlation: Correlation
    metadata: EventMetadata
    query: str | None = None
    index: str | None = None
    dsl: dict[str, Any] | None = None
    hits: int | None = None
    took_ms: int | None = None

    @classmethod
    def begin(cls, request: Request) -> Self:
        """Mint the query's id, and note who asks."""
        correlation = correlation_of(request)
        assert isinstance(request.user, User)
        return cls(
            query_id=new_event_id(),
            timestamp=datetime.now(UTC),
            user=caller(request),
            correlation=correlation,
            metadata=EventMetadata(
                request_id=correlation.request_id,
                trace_id=correlation.trace_id,
                client_ip=request.META.get("REMOTE_ADDR") or None,
                user_agent=request.headers.get("User-Agent"),
                auth_scheme=str(request.auth),
                service="gateway",
                service_version=__version__,
            ),
        )

    def event(self, problem: Problem | None = None) -> AuditEvent:
        """The event of the search as it ended.

        Args:
            problem: why it has no success, or None.
        """
        status = HTTPStatus.OK if problem is None else problem.status
        return AuditEvent(
            event_id=self.query_id,
            event_type=event_type(status),
            timestamp=self.timestamp,
            user_id=self.user.get_username(),
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
    if status is HTTPStatus.FORBIDDEN:
        return EventType.QUERY_DENIED
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        return EventType.QUERY_THROTTLED
    return EventType.QUERY_REJECTED if status < HTTPStatus.INTERNAL_SERVER_ERROR else EventType.QUERY_FAILED
