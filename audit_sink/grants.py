"""Users of the audit trail's topics and of the console events, and what each may do."""

from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from audit_sink.projection import AuditProjection
from contracts.console_event.topics import ConsoleTopicSettings
from contracts.query_event.topics import TopicSettings
from indexing.dead_letter_reader import reader_group
from indexing.kafka_grants import Grants, allow

GATEWAY = "gateway"
SINK = "audit-sink"
LIVE = "live"


def grants(topics: TopicSettings, console: ConsoleTopicSettings, group: str) -> Grants:
    """Grants of the gateway, of the process of live sockets, and of the sink.

    Args:
        topics: the topics of the audit trail.
        console: the topic that wakes live sockets.
        group: the sink's consumer group.
    """
    return {
        # Since Kafka 3.0 this is all that an idempotent producer needs.
        GATEWAY: [
            allow(GATEWAY, ResourceType.TOPIC, topics.topic, AclOperation.WRITE),
            allow(GATEWAY, ResourceType.TOPIC, console.topic, AclOperation.WRITE),
        ],
        # It reads without a group, and so commits nothing.
        LIVE: [
            allow(LIVE, ResourceType.TOPIC, topics.topic, AclOperation.READ),
            allow(LIVE, ResourceType.TOPIC, console.topic, AclOperation.READ),
            # That a tail was opened, and who was refused.
            allow(LIVE, ResourceType.TOPIC, topics.topic, AclOperation.WRITE),
        ],
        SINK: [
            allow(SINK, ResourceType.TOPIC, topics.topic, AclOperation.READ),
            allow(SINK, ResourceType.GROUP, group, AclOperation.READ),
            allow(SINK, ResourceType.TOPIC, topics.dlq_topic, AclOperation.WRITE),
            # For `dead-letters`, `replay` and `status`.
            allow(SINK, ResourceType.TOPIC, topics.dlq_topic, AclOperation.READ),
            allow(SINK, ResourceType.GROUP, reader_group(AuditProjection.name), AclOperation.READ),
        ],
    }
