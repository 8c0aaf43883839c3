"""Membership of the lake's writer in its consumer group.

A partition that has come is *unplaced* until the writer says from which offset it is read: the position is the lake's,
never the offset that the group has committed, which is advisory and there for whoever watches the lag.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from indexing.member import NO_POSITION, member_config, partition_numbers
from indexing.topic_id_watch import TopicIdWatch
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config, probe_topic
from lake.metrics import LAG

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = 5.0

OnLeave = Callable[[Sequence[int]], None]
"""Told of partitions before they leave."""


class Group:  # pylint: disable=too-many-instance-attributes  # two clients, and what was last heard of each
    """One member of the group, used from one thread.

    Args:
        kafka: how the cluster is reached.
        topic: what is read.
        group_id: the group.

    Attributes:
        unplaced: assigned partitions of which nothing is read until ``place``.
        has_joined: whether the group has given it partitions, or none, at least once.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, group_id: str) -> None:
        self.unplaced: set[int] = set()
        self.has_joined = False
        self._is_paused = False
        self._topic = topic
        self._on_leave: OnLeave = lambda partitions: None
        self._admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)
        self._watch = TopicIdWatch(self._admin, topic)
        self._consumer = Consumer(member_config(kafka, "lake", group_id, _committed), logger=LIBRDKAFKA)

    def join(self, on_leave: OnLeave) -> None:
        """Join the group; partitions arrive, unplaced, while reading."""
        self._on_leave = on_leave
        self._consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def read(self, max_records: int, timeout: float) -> list[Message]:
        """Read records of placed partitions, and serve the group.

        Args:
            max_records: how many at most.
            timeout: seconds to wait for that many.

        Raises:
            confluent_kafka.KafkaException: the client is beyond recovery.
        """
        records = [message for message in self._consumer.consume(max_records, timeout) if self._is_record(message)]
        # An error among them may have made a partition unplaced.
        return [record for record in records if record.partition() not in self.unplaced]

    def place(self, partition: int, offset: int) -> None:
        """Read an assigned partition from an offset on; what was fetched of it before is discarded."""
        self._put(partition, offset)
        self.unplaced.discard(partition)
        position = TopicPartition(self._topic, partition)
        # The client remembers a pause.
        (self._consumer.pause if self._is_paused else self._consumer.resume)([position])

    def displace(self) -> None:
        """Make all assigned partitions unplaced."""
        self.unplaced = {position.partition for position in self._consumer.assignment()}

    def pause(self) -> None:
        """Stop fetching, stay in the group."""
        self._is_paused = True
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """Go on fetching."""
        self._is_paused = False
        self._consumer.resume([each for each in self._consumer.assignment() if each.partition not in self.unplaced])

    def commit(self, positions: Mapping[int, int]) -> None:
        """Tell Kafka, in the background, how far the lake is; a failure is mended by the next commit."""
        offsets = [TopicPartition(self._topic, partition, offset) for partition, offset in positions.items()]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            _committed(error.args[0], offsets)

    def topic_id(self) -> str:
        """Ask for the topic's id.

        Raises:
            confluent_kafka.KafkaException: Kafka does not answer within five seconds, or has no such topic.
            TimeoutError: likewise.
        """
        return self._watch.topic_id()

    def watermarks(self, partition: int) -> tuple[int, int]:
        """Ask for a partition's first offset and the one after its last.

        Raises:
            confluent_kafka.KafkaException: Kafka does not answer within five seconds.
        """
        return self._consumer.get_watermark_offsets(
            TopicPartition(self._topic, partition), timeout=_ANSWER_SECONDS, cached=False
        )

    def watch_topic(self, topic_id: str) -> None:
        """Notice within seconds, without waiting, that the topic was deleted and made again: all is unplaced then."""
        if self._watch.has_changed(topic_id):
            self.displace()

    def leave(self) -> None:
        """Leave the group, so that the others need not wait for the session to end."""
        self._consumer.close()

    def update_lag(self, positions: Mapping[int, int]) -> None:
        """Refresh the lag of partitions, by the offsets that the lake is at; asks nothing of the broker."""
        for partition, offset in positions.items():
            low, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
            if high >= 0:
                LAG.labels(partition).set(high - max(low, offset))

    def probe(self, timeout: float) -> str | None:
        """Say what is wrong with the topic, as the cluster tells it within ``timeout`` seconds; from any thread."""
        return probe_topic(self._admin, self._topic, timeout)

    def _put(self, partition: int, offset: int) -> None:
        self._consumer.incremental_unassign([TopicPartition(self._topic, partition)])
        self._consumer.incremental_assign([TopicPartition(self._topic, partition, offset)])

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.has_joined = True
        self.unplaced |= {position.partition for position in partitions}
        for position in partitions:
            # Else the client would begin at the committed offset. Any number will do while the partition is paused; a
            # logical offset is looked up, and the answer may come after `place` and undo it.
            position.offset = 0
        consumer.incremental_assign(partitions)
        consumer.pause(partitions)
        if partitions:
            logger.info("partitions assigned: %s", partition_numbers(partitions))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._leave(consumer, partitions)
        logger.info("partitions revoked: %s", partition_numbers(partitions))

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._leave(consumer, partitions)
        logger.warning("partitions lost, another member has them: %s", partition_numbers(partitions))

    def _leave(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = [position.partition for position in partitions]
        self._on_leave(numbers)
        consumer.incremental_unassign(partitions)
        self.unplaced -= set(numbers)
        for number in numbers:
            LAG.remove(str(number))

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is not None:
            self._on_error(message, error)
        return error is None

    def _on_error(self, message: Message, error: KafkaError) -> None:
        partition = message.partition()
        if error.code() == NO_POSITION and partition is not None and partition >= 0:
            self.unplaced.add(partition)
        elif error.fatal():
            raise KafkaException(error)
        else:
            logger.warning("%s; the client goes on by itself", error)


def _committed(error: KafkaError | None, partitions: list[TopicPartition]) -> None:
    for position in partitions:
        failure = error or position.error
        if failure is not None:
            logger.warning("partition %d: Kafka did not take the lake's position: %s", position.partition, failure)
