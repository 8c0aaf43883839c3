"""Marker of a replay: a record of the dead-letter topic that says which letters before it were replayed.

Why: a letter stays in its topic until its retention ends, whatever became of it, and a list that never gets shorter is
not read. A committed offset would be forgotten when the group is idle for a week (``offsets.retention.minutes``).
"""

from collections.abc import Iterator, Mapping

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from indexing.dead_letter import PREFIX, record_headers
from indexing.dead_letter_reader import DeadLetterReader
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

_HEADER = f"{PREFIX}replayed_until"
_SECONDS = 10.0


def mark_replayed(kafka: KafkaSettings, topic: str, ends: Mapping[int, int]) -> None:
    """Write a marker to each partition.

    Args:
        kafka: how the cluster is reached.
        topic: the dead-letter topic.
        ends: by partition, the offset after the last letter that was replayed.

    Raises:
        confluent_kafka.KafkaException: Kafka does not take one of them.
    """
    errors: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            errors.append(error)

    producer = Producer(client_config(kafka) | {"acks": "all"}, logger=LIBRDKAFKA)
    for partition, end in ends.items():
        producer.produce(
            topic, value=None, partition=partition, headers=[(_HEADER, str(end).encode())], on_delivery=report
        )
    if producer.flush(_SECONDS):
        errors.append(KafkaError(KafkaError._TIMED_OUT))  # pylint: disable=protected-access  # it is public
    if errors:
        raise KafkaException(errors[0])


def replayed_until(record: Message) -> int | None:
    """Read the offset before which letters were replayed, from a marker; None of a letter."""
    found = dict(record_headers(record)).get(_HEADER)
    return int(found) if found is not None and found.isdigit() else None


def letters(records: Iterator[Message]) -> Iterator[Message]:
    """Leave out the markers."""
    return (record for record in records if replayed_until(record) is None)


def unreplayed(kafka: KafkaSettings, topic: str) -> Iterator[Message]:
    """Read the letters that no replay has read yet; the topic is read twice.

    Raises:
        confluent_kafka.KafkaException: as ``DeadLetterReader`` does.
    """
    ends: dict[int | None, int] = {}
    for record in DeadLetterReader(kafka, topic):
        until = replayed_until(record)
        if until is not None:
            ends[record.partition()] = max(until, ends.get(record.partition(), 0))
    for record in letters(iter(DeadLetterReader(kafka, topic))):
        if (record.offset() or 0) >= ends.get(record.partition(), 0):
            yield record
