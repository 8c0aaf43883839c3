"""`secure`: give each service its user and its grants."""

from pathlib import Path

from indexing.kafka_grants import secure
from indexing.program import Program
from kit.kafka import KafkaSettings


def run(program: Program, passwords: Path) -> int:
    """Create the users and their grants, a line about each."""
    for line in secure(KafkaSettings.load(), program.grants(), passwords):
        print(line)
    return 0
