"""`secure`: give the lake its user and its grants on the topic."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from contracts.query_event.topics import TopicSettings
from indexing.kafka_grants import secure
from kit.kafka import KafkaSettings
from lake.grants import grants
from lake.serve.settings import ServeSettings


def main(arguments: Sequence[str]) -> int:
    """Make the user, and take away grants that are no longer listed; repeatable.

    Raises:
        ConfigurationError: the password cannot be read.
        confluent_kafka.KafkaException: the cluster does not answer, or refuses.
    """
    parser = argparse.ArgumentParser(
        prog="python -m lake secure", description="Give the lake its user and its grants on the topic."
    )
    parser.add_argument(
        "--passwords", type=Path, required=True, metavar="FOLDER", help="has a file with the password, `lake`"
    )
    passwords: Path = parser.parse_args(arguments).passwords
    group = ServeSettings.load().group_id
    for line in secure(KafkaSettings.load(), grants(TopicSettings.load(), group), passwords):
        print(line)
    return 0
