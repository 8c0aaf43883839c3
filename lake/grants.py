"""User of Kafka that the lake is, and what it may do."""

from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from contracts.query_event.topics import TopicSettings
from indexing.kafka_grants import Grants, allow

LAKE = "lake"


def grants(topics: TopicSettings, group: str) -> Grants:
    """Grants of the lake.

    Args:
        topics: the topics of the audit trail.
        group: the writer's consumer group.
    """
    return {
        LAKE: [
            allow(LAKE, ResourceType.TOPIC, topics.topic, AclOperation.READ),
            allow(LAKE, ResourceType.GROUP, group, AclOperation.READ),
            # That an auditor looked at names, and that a person was erased.
            allow(LAKE, ResourceType.TOPIC, topics.topic, AclOperation.WRITE),
        ],
    }
