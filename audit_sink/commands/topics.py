"""`topics`: create missing topics."""

from audit_sink.topics import create_topics
from contracts.query_event.topics import TopicSettings
from kit.kafka import KafkaSettings


def run() -> int:
    """Create the topics, a line about each."""
    for line in create_topics(KafkaSettings.load(), TopicSettings.load()):
        print(line)
    return 0
