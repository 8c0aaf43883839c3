"""Topics of the audit trail."""

from confluent_kafka.cimpl import NewTopic

from contracts.query_event.topics import TopicSettings
from indexing.topics import dead_letter_topic, topic


def topics(names: TopicSettings, replicas: int) -> list[NewTopic]:
    """The topics for so many replicas."""
    return [
        # When an event arrived, whatever its producer's clock says; the sink chooses its index by it.
        topic(names.topic, replicas, {"message.timestamp.type": "LogAppendTime"}),
        dead_letter_topic(names.dlq_topic, replicas),
    ]
