"""Lag and oldest unsettled record of a group, from the broker: whether or not any consumer of it runs.

Why: operators ask when something is wrong, which is when the consumers' metrics are missing; each consumer also knows
only its own partitions. A consumer's own figures are asked at its configured address, as the address that the broker
sees may be a proxy's and has no metrics port.
"""

import time
from dataclasses import dataclass, replace

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

_ANSWER_SECONDS = 5.0
_OLDEST_SECONDS = 5.0
_PAUSE_SECONDS = 0.2
_NO_COORDINATOR_YET = frozenset(
    (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
)


@dataclass(frozen=True, slots=True)
class PartitionBacklog:
    """Unsettled records of a partition.

    Attributes:
        partition: its number.
        committed: the offset up to which everything is settled; None if the group never committed any.
        low: the earliest offset that is left.
        end: the offset that the next record will get.
        oldest_ms: when Kafka had the oldest record that is not settled, milliseconds since 1970; None if there is none,
            or it could not be read in time.
    """

    partition: int
    committed: int | None
    low: int
    end: int
    oldest_ms: int | None = None

    @property
    def start(self) -> int:
        """The offset of the oldest record that is not settled."""
        return max(self.low, self.committed or 0)

    @property
    def lag(self) -> int:
        """Records that are not settled, at most: markers and what compaction left out are counted too."""
        return max(0, self.end - self.start)


def read_backlog(kafka: KafkaSettings, topic: str, name: str, group_id: str) -> list[PartitionBacklog]:
    """Ask for every partition's backlog; the group is not joined and nothing of it changes.

    Args:
        kafka: how the cluster is reached.
        topic: the topic that is consumed.
        name: name of the consumer, as Kafka's client id.
        group_id: the consumer group.

    Raises:
        confluent_kafka.KafkaException: the cluster does not answer within five seconds, or has no such topic.
    """
    consumer = Consumer(
        client_config(kafka)
        | {
            "client.id": name,
            "group.id": group_id,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": 1024,
        },
        logger=LIBRDKAFKA,
    )
    try:
        found = consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic]
        if found.error is not None:
            raise KafkaException(KafkaError(found.error.code(), f"{found.error.str()}: {topic}"))
        backlogs = []
        partitions = [TopicPartition(topic, number) for number in sorted(found.partitions)]
        for position in committed_positions(consumer, partitions):
            low, end = consumer.get_watermark_offsets(position, timeout=_ANSWER_SECONDS)
            committed = position.offset if position.offset >= 0 else None
            backlogs.append(PartitionBacklog(position.partition, committed, low, end))
        oldest = _oldest(consumer, topic, [backlog for backlog in backlogs if backlog.lag])
        return [replace(each, oldest_ms=oldest.get(each.partition)) for each in backlogs]
    finally:
        consumer.close()


def committed_positions(consumer: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
    """Ask for the group's positions, again for five seconds while the cluster still looks for its coordinator.

    Raises:
        confluent_kafka.KafkaException: the cluster does not answer, or refuses to.
    """
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            return consumer.committed(partitions, timeout=_ANSWER_SECONDS)
        except KafkaException as error:
            if error.args[0].code() not in _NO_COORDINATOR_YET or time.monotonic() > deadline:
                raise
        # A new group's coordinator is found within moments, and the library does not wait for it.
        time.sleep(_PAUSE_SECONDS)


def _oldest(consumer: Consumer, topic: str, backlogs: list[PartitionBacklog]) -> dict[int, int]:
    """The first unsettled record's timestamp by partition, as far as they come within five seconds."""
    found: dict[int, int] = {}
    consumer.assign([TopicPartition(topic, each.partition, each.start) for each in backlogs])
    deadline = time.monotonic() + _OLDEST_SECONDS
    while len(found) < len(backlogs) and time.monotonic() < deadline:
        for record in consumer.consume(1, 0.5):
            if record.error() is None and record.partition() is not None:
                found[record.partition() or 0] = record.timestamp()[1]
                # So that one partition's many records do not stand before another's first.
                consumer.incremental_unassign([TopicPartition(topic, record.partition() or 0)])
    return found


def count_members(kafka: KafkaSettings, group_id: str) -> int:
    """Return the number of the group's members.

    Raises:
        confluent_kafka.KafkaException: the cluster does not answer within five seconds, or refuses to tell.
    """
    admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)
    try:
        description = admin.describe_consumer_groups([group_id], request_timeout=_ANSWER_SECONDS)[group_id].result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
            return 0
        raise
    return len(description.members)
