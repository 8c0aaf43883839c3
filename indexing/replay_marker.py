"""Marker of a replay: a record of the dead-letter topic that says which letters before it were replayed.

Why: a letter stays in its topic until its retention ends, whatever became of it, and a list that never gets shorter is
not read. A committed offset would be forgotten when the group is idle for a week (``offsets.retention.minutes``).
"""

from collections.abc import Mapping

from confluent_kafka import Message

from indexing.dead_letter import PREFIX, record_headers
from kit.kafka import KafkaSettings, NewRecord, produce

_HEADER = f"{PREFIX}replayed_until"
_SECONDS = 10.0


def mark_replayed(kafka: KafkaSettings, topic: str, consumer: str, ends: Mapping[int, int]) -> None:
    """Write a marker to each partition.

    Args:
        kafka: how the cluster is reached.
        topic: the dead-letter topic.
        consumer: name of the consumer, as Kafka's client id.
        ends: by partition, the offset after the last letter that was replayed.

    Raises:
        confluent_kafka.KafkaException: Kafka does not take one of them.
    """
    markers = (
        NewRecord(topic, value=None, headers=((_HEADER, str(end).encode()),), partition=partition)
        for partition, end in ends.items()
    )
    produce(kafka, consumer, markers, within=_SECONDS)


def replayed_until(record: Message) -> int | None:
    """Read the offset before which letters were replayed, from a marker; None of a letter."""
    found = dict(record_headers(record)).get(_HEADER)
    return int(found) if found is not None and found.isdigit() else None
