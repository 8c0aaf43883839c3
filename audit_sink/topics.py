"""Topics of the audit trail, and of the wake-ups of live sockets."""

from confluent_kafka.cimpl import NewTopic

from contracts.console_event.topics import ConsoleTopicSettings
from contracts.query_event.topics import TopicSettings
from indexing.topics import dead_letter_topic, short_lived_topic, topic


def topics(names: TopicSettings, console: ConsoleTopicSettings, replicas: int) -> list[NewTopic]:
    """The topics for so many replicas."""
    return [
        # When an event arrived, whatever its producer's clock says; the sink chooses its index by it.
        topic(names.topic, replicas, {"message.timestamp.type": "LogAppendTime"}),
        dead_letter_topic(names.dlq_topic, replicas),
        short_lived_topic(console.topic, replicas),
    ]
