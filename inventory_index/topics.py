"""Topics of the inventory."""

from confluent_kafka.cimpl import NewTopic

from contracts.inventory_change.change import MAX_RECORD_BYTES
from contracts.inventory_change.topics import InventoryTopicSettings
from indexing.topics import dead_letter_topic, topic


def topics(names: InventoryTopicSettings, replicas: int) -> list[NewTopic]:
    """The topics for so many replicas."""
    return [
        topic(names.topic, replicas, {"max.message.bytes": str(MAX_RECORD_BYTES)}),
        dead_letter_topic(names.dlq_topic, replicas),
    ]
