"""Users of the inventory's topics, and what each may do."""

from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from contracts.console_event.topics import ConsoleTopicSettings
from contracts.inventory_change.topics import REJECTIONS_GROUP, InventoryTopicSettings
from contracts.query_event.topics import TopicSettings
from indexing.dead_letter_reader import reader_group
from indexing.kafka_grants import Grants, allow
from inventory_index.projection import InventoryProjection

WORKER = "worker"
INDEXER = "inventory-index"


def grants(topics: InventoryTopicSettings, audit: TopicSettings, console: ConsoleTopicSettings, group: str) -> Grants:
    """Grants of the gateway's worker and of the indexer.

    Args:
        topics: the topics of the inventory.
        audit: the topics of the audit trail, on which the worker puts the event of each change.
        console: the topic on which the worker says whose inbox has something new.
        group: the indexer's consumer group.
    """
    topic, read, write = ResourceType.TOPIC, AclOperation.READ, AclOperation.WRITE
    letters = allow(INDEXER, ResourceType.GROUP, reader_group(InventoryProjection.name), read)
    return {
        WORKER: [
            allow(WORKER, topic, audit.topic, write),
            allow(WORKER, topic, console.topic, write),
            allow(WORKER, topic, topics.topic, write),
            # The last record of each partition tells whether the database has gone back in time.
            allow(WORKER, topic, topics.topic, read),
            # Documents that Elasticsearch has refused.
            allow(WORKER, topic, topics.dlq_topic, read),
            allow(WORKER, ResourceType.GROUP, REJECTIONS_GROUP, read),
        ],
        INDEXER: [
            allow(INDEXER, topic, topics.topic, read),
            allow(INDEXER, ResourceType.GROUP, group, read),
            allow(INDEXER, topic, topics.dlq_topic, write),
            # For `dead-letters` and `status`.
            allow(INDEXER, topic, topics.dlq_topic, read),
            letters,
        ],
    }
