"""`topics`: create missing topics."""

from indexing.program import Program
from indexing.topics import create_topics
from kit.kafka import KafkaSettings


def run(program: Program) -> int:
    """Create the topics, a line about each."""
    for line in create_topics(KafkaSettings.load(), program.topics):
        print(line)
    return 0
