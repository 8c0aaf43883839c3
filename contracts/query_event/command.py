"""Events of changes and looks that an operator makes by a command.

Why: the event comes first, and without it nothing is deleted and no name is shown, because neither can be undone when
its event then fails. The command itself says what it did then.
"""

import getpass
import socket
import uuid
from datetime import UTC, datetime

from confluent_kafka import KafkaException

from contracts.query_event.event import (
    NO_DSL,
    SCHEMA_VERSION,
    AuditEvent,
    EventData,
    EventMetadata,
    EventType,
    encode,
    headers,
    new_event_id,
    rfc3339,
)
from contracts.query_event.topics import TopicSettings
from kit import __version__
from kit.kafka import KafkaSettings, NewRecord, produce

AUTH_SCHEME = "command-line"
"""Name of the way in which the operator was identified: by the operating system."""
_SECONDS = 10.0


class CommandNotRecorded(Exception):
    """Kafka has not acknowledged the event, so nothing was done; the message says why, and what to do."""


def record_command(service: str, change: str, undone: str) -> None:
    """Put what a command is about to do on the audit trail; it may do it once this has returned.

    Args:
        service: name of the package whose command it is.
        change: the change or look in words; it must name no person and no secret.
        undone: the words with which the error says that nothing was done.

    Raises:
        ConfigurationError: the settings of Kafka are invalid.
        CommandNotRecorded: Kafka does not take the event.
    """
    kafka, topic = KafkaSettings.load(), TopicSettings.load().topic
    event = command_event(service, change)
    record = NewRecord(topic, encode(event), key=event.user_id, headers=tuple(headers(event, None)))
    try:
        produce(kafka, service, [record], within=_SECONDS)
    except KafkaException as error:
        raise CommandNotRecorded(
            f"{undone}, as the audit trail cannot be written: Kafka at {kafka.bootstrap_servers}: "
            f"{error.args[0].str()}; set KAFKA_BOOTSTRAP_SERVERS and AUDIT_TOPIC to those of the gateway"
        ) from None


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
