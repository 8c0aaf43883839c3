"""Member of a consumer group that commits for itself: its configuration, and its partitions in words."""

from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, TopicPartition

from kit.kafka import KafkaSettings, client_config

NO_POSITION = KafkaError._AUTO_OFFSET_RESET  # pylint: disable=protected-access  # a public constant all the same
"""Code of the error of a partition that has no record at the member's offset."""

OnCommit = Callable[[KafkaError | None, list[TopicPartition]], None]


def member_config(kafka: KafkaSettings, client_id: str, group_id: str, on_commit: OnCommit) -> dict[str, Any]:
    """The librdkafka properties of a member that decides where it begins and what it commits.

    Args:
        kafka: how the cluster is reached.
        client_id: name of the client in the broker's log and metrics.
        group_id: the group.
        on_commit: told of each commit that was made in the background.
    """
    return client_config(kafka) | {
        "client.id": client_id,
        "group.id": group_id,
        "partition.assignment.strategy": "cooperative-sticky",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Where to begin is decided by the member, with a line in the log.
        "auto.offset.reset": "error",
        # A killed member's partitions move after this; its successor on the same machine waits for it too.
        "session.timeout.ms": 8_000,
        "heartbeat.interval.ms": 2_000,
        "topic.metadata.refresh.interval.ms": 30_000,
        "queued.max.messages.kbytes": 16 * 1024,
        "fetch.wait.max.ms": 100,
        # By default a full queue rests for a second, and a backlog is read in less.
        "fetch.queue.backoff.ms": 10,
        "on_commit": on_commit,
    }


def partition_numbers(partitions: list[TopicPartition]) -> str:
    """The partitions' numbers, for a line of the log."""
    return ", ".join(str(number) for number in sorted(position.partition for position in partitions)) or "none"
