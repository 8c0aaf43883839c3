"""Changes to the audit trail itself, on the audit trail: an event before the first document is deleted.

Why: the event comes first, and without it nothing is deleted, because a deletion cannot be undone when its event then
fails. The account of an erasure (``audit-erasures``) and the output of the command say how it ended.
"""

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from contracts.query_event.command import command_event
from contracts.query_event.event import encode, headers
from contracts.query_event.topics import TopicSettings
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

_SECONDS = 10.0


class ChangeNotRecorded(Exception):
    """Kafka has not acknowledged the event, so nothing was changed; the message says why, and what to do."""


def record_change(change: str) -> None:
    """Put a change on the audit trail.

    Args:
        change: the change in words; it must name no person.

    Raises:
        ConfigurationError: the settings of Kafka are invalid.
        ChangeNotRecorded: Kafka does not take the event.
    """
    kafka, topic = KafkaSettings.load(), TopicSettings.load().topic
    event = command_event("elastic", change)
    errors: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            errors.append(error)

    milliseconds = str(int(_SECONDS * 1000))
    # The time-out of the delivery is the library's own, so that its report says what kept the event.
    config = client_config(kafka) | {"client.id": "elastic", "acks": "all", "delivery.timeout.ms": milliseconds}
    producer = Producer(config, logger=LIBRDKAFKA)
    try:
        producer.produce(
            topic, key=event.user_id, value=encode(event), headers=[*headers(event, None)], on_delivery=report
        )
    except KafkaException as error:
        raise _not_recorded(kafka, str(error.args[0].str())) from None
    if producer.flush(_SECONDS + 5) or errors:
        raise _not_recorded(kafka, errors[0].str() if errors else "no answer")


def _not_recorded(kafka: KafkaSettings, reason: str) -> ChangeNotRecorded:
    return ChangeNotRecorded(
        f"nothing was changed, as the audit trail cannot be written: Kafka at {kafka.bootstrap_servers}: {reason}; "
        "set KAFKA_BOOTSTRAP_SERVERS and AUDIT_TOPIC to those of the gateway"
    )
