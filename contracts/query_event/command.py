"""Events of changes that an operator makes by a command."""

import getpass
import socket
import uuid
from datetime import UTC, datetime

from contracts.query_event.event import (
    NO_DSL,
    SCHEMA_VERSION,
    AuditEvent,
    EventData,
    EventMetadata,
    EventType,
    new_event_id,
    rfc3339,
)
from kit import __version__

AUTH_SCHEME = "command-line"
"""Name of the way in which the operator was identified: by the operating system."""


def command_event(service: str, change: str) -> AuditEvent:
    """Make the event of a change that a command is about to make.

    Args:
        service: name of the package whose command it is.
        change: the change in words, without a secret.
    """
    return AuditEvent(
        event_id=new_event_id(),
        event_type=EventType.ADMIN_CHANGED,
        schema_version=SCHEMA_VERSION,
        timestamp=rfc3339(datetime.now(UTC)),
        user_id=operator(),
        data=EventData(query=change, index=None, dsl=NO_DSL, hits=None, took_ms=None, status=200, error=None),
        metadata=EventMetadata(
            request_id=str(uuid.uuid4()),
            trace_id=None,
            client_ip=None,
            user_agent=None,
            auth_scheme=AUTH_SCHEME,
            service=service,
            service_version=__version__,
        ),
    )


def operator() -> str:
    """Name who runs this process: the operating system's user, and the host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user may have no entry in its passwd file.
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
