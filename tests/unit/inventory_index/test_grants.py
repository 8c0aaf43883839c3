"""The grants as data; that they suffice, and hold everybody else off, is tested in tests/e2e."""

from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from contracts.console_event.topics import ConsoleTopicSettings
from contracts.inventory_change.topics import InventoryTopicSettings
from contracts.query_event.topics import TopicSettings
from inventory_index.grants import grants


def test_the_grants_follow_the_configured_names() -> None:
    topics = InventoryTopicSettings(topic="changes", dlq_topic="letters")
    found = grants(topics, TopicSettings(topic="events"), ConsoleTopicSettings(topic="wake-ups"), "group")
    named = {(each.principal, each.restype, each.name, each.operation) for user in found.values() for each in user}
    topic, group, read, write = ResourceType.TOPIC, ResourceType.GROUP, AclOperation.READ, AclOperation.WRITE
    assert named == {
        ("User:worker", topic, "events", write),
        ("User:worker", topic, "wake-ups", write),
        ("User:worker", topic, "changes", write),
        ("User:worker", topic, "changes", read),
        ("User:worker", topic, "letters", read),
        ("User:worker", group, "inventory-rejections", read),
        ("User:inventory-index", topic, "changes", read),
        ("User:inventory-index", group, "group", read),
        ("User:inventory-index", topic, "letters", write),
        ("User:inventory-index", topic, "letters", read),
        ("User:inventory-index", group, "inventory-index-dead-letters", read),
    }
