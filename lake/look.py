"""An auditor's look at names, on the audit trail before it.

Why: names are not for everybody who may read the marts. Without the event no name is shown, because nobody could tell
afterwards who has seen it.
"""

from confluent_kafka import KafkaException

from contracts.query_event.command import command_event
from contracts.query_event.event import encode, headers
from contracts.query_event.topics import TopicSettings
from kit.kafka import KafkaSettings, NewRecord, produce
from lake.errors import LakeError

_SECONDS = 10.0


def record_look(look: str) -> None:
    """Put a look on the audit trail; names may be shown once this has returned.

    Args:
        look: what is shown, in words.

    Raises:
        ConfigurationError: the settings of Kafka are invalid.
        LakeError: Kafka does not take the event.
    """
    kafka, topic = KafkaSettings.load(), TopicSettings.load().topic
    event = command_event("lake", look)
    record = NewRecord(topic, encode(event), key=event.user_id, headers=tuple(headers(event, None)))
    try:
        produce(kafka, "lake", [record], within=_SECONDS)
    except KafkaException as error:
        raise LakeError(
            f"no names are shown, as the look cannot be put on the audit trail: Kafka at {kafka.bootstrap_servers}: "
            f"{error.args[0].str()}; set KAFKA_BOOTSTRAP_SERVERS and AUDIT_TOPIC to those of the gateway"
        ) from None
