"""`topics`: create what is not there yet."""

from audit_sink.kafka import KafkaSettings, TopicSettings
from audit_sink.topics import create_topics


def run() -> int:
    """Create the topics, a line about each."""
    for line in create_topics(KafkaSettings.load(), TopicSettings.load()):
        print(line)
    return 0
