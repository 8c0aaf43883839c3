"""`secure`: give each service its user and its grants."""

from pathlib import Path

from audit_sink.kafka_grants import secure
from audit_sink.settings import SinkSettings
from contracts.query_event.topics import TopicSettings
from kit.kafka import KafkaSettings


def run(passwords: Path) -> int:
    """Create the users and their grants, a line about each."""
    for line in secure(KafkaSettings.load(), TopicSettings.load(), SinkSettings.load().group_id, passwords):
        print(line)
    return 0
