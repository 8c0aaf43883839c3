"""Changes to the audit trail itself, on the audit trail: an event before the first document is deleted.

Why: the event comes first, and without it nothing is deleted, because a deletion cannot be undone when its event then
fails. The account of an erasure (``audit-erasures``) and the output of the command say how it ended.
"""

from confluent_kafka import KafkaException

from contracts.query_event.command import command_event
from contracts.query_event.event import encode, headers
from contracts.query_event.topics import TopicSettings
from kit.kafka import KafkaSettings, NewRecord, produce

_SECONDS = 10.0


class ChangeNotRecorded(Exception):
    """Kafka has not acknowledged the event, so nothing was changed; the message says why, and what to do."""


def record_change(change: str, service: str = "elastic") -> None:
    """Put a change on the audit trail.

    Args:
        change: the change in words; it must name no person.
        service: name of the package whose command makes it.

    Raises:
        ConfigurationError: the settings of Kafka are invalid.
        ChangeNotRecorded: Kafka does not take the event.
    """
    kafka, topic = KafkaSettings.load(), TopicSettings.load().topic
    event = command_event(service, change)
    record = NewRecord(topic, encode(event), key=event.user_id, headers=tuple(headers(event, None)))
    try:
        produce(kafka, service, [record], within=_SECONDS)
    except KafkaException as error:
        raise ChangeNotRecorded(
            f"nothing was changed, as the audit trail cannot be written: Kafka at {kafka.bootstrap_servers}: "
            f"{error.args[0].str()}; set KAFKA_BOOTSTRAP_SERVERS and AUDIT_TOPIC to those of the gateway"
        ) from None
