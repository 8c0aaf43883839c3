"""Membership in a consumer group: partitions, positions and commits."""

import logging
import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from indexing.member import NO_POSITION, member_config, partition_numbers
from indexing.metrics import COMMIT_FAILURES, LAG, PAUSED
from indexing.offsets import OffsetTracker
from indexing.resume import starting_offset
from indexing.topic_id_watch import TopicIdWatch
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config, probe_topic

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = 5.0
_COMMIT_EVERY_SECONDS = 0.5


OnLeave = Callable[[bool], None]


def _ignore(_orderly: bool) -> None:
    """No partition leaves before the group is joined."""


class ConsumerGroup:  # pylint: disable=too-many-instance-attributes  # two clients, and what was last heard of each
    """One member of the consumer group, used from one thread.

    Args:
        kafka: how the cluster is reached.
        topic: what is read.
        group_id: the group.
        tracker: says what may be committed.
        consumer: name of the consumer, for metrics and Kafka's client id.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, group_id: str, tracker: OffsetTracker, consumer: str) -> None:
        self.is_paused = False
        self.has_joined = False
        self.topic_id: str | None = None
        self._topic = topic
        self._tracker = tracker
        self._name = consumer
        self._on_leave: OnLeave = _ignore
        self._starts: dict[int, int] = {}
        self._last_commit = 0.0
        self._admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)
        self._watch = TopicIdWatch(self._admin, topic)
        self._consumer = Consumer(member_config(kafka, consumer, group_id, self._committed), logger=LIBRDKAFKA)

    def join(self, on_leave: OnLeave) -> None:
        """Join the group; partitions arrive while reading.

        Args:
            on_leave: called before partitions leave, in an orderly way (True) or because they are lost (False).
        """
        self._on_leave = on_leave
        self._consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def read(self, max_records: int, timeout: float) -> list[Message]:
        """Read records, and serve the group; none for partitions that are not assigned.

        Args:
            max_records: how many at most.
            timeout: seconds to wait for that many.
        """
        records = []
        for message in self._consumer.consume(max_records, timeout):
            error = message.error()
            if error is None:
                records.append(message)
            else:
                self._on_error(message, error)
                # If the partition begins anew, what came before the error is of a topic, or a part of it, that is gone.
                records = [record for record in records if record.partition() != message.partition()]
        return records

    def pause(self) -> None:
        """Stop fetching, stay in the group."""
        self.is_paused = True
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """Go on fetching."""
        self.is_paused = False
        self._consumer.resume(self._consumer.assignment())

    def commit(self, *, wait: bool = False) -> None:
        """Commit what is settled: in the background and not too often, or at once and waiting for the answer."""
        now = time.monotonic()
        offsets = self._tracker.committable()
        if not offsets or not (wait or now - self._last_commit >= _COMMIT_EVERY_SECONDS):
            return
        self._last_commit = now
        positions = [
            # The topic's id goes with its offsets: another topic of the same name has no use for them.
            TopicPartition(self._topic, partition, offset, metadata=self.topic_id)
            for partition, offset in offsets.items()
        ]
        self._tracker.committed(offsets)
        try:
            if wait:
                self._committed(None, self._consumer.commit(offsets=positions, asynchronous=False))
            else:
                self._consumer.commit(offsets=positions, asynchronous=True)
        except KafkaException as error:  # a rebalance, most of the time; the next owner repeats what was not committed
            self._committed(error.args[0], positions)

    def watch_topic(self) -> None:
        """Notice within seconds, without waiting, that the topic was deleted and made again, and read all of it."""
        if self._watch.has_changed(self.topic_id):
            self._restart(self._consumer.assignment())

    def leave(self) -> None:
        """Leave the group, so that the others need not wait for the session to end."""
        self._consumer.close()

    def settled_positions(self) -> dict[int, int]:
        """The offset up to which each assigned partition is settled."""
        settled = {partition: self._tracker.position(partition) for partition in self._starts}
        return {number: self._starts[number] if found is None else found for number, found in settled.items()}

    def update_metrics(self) -> None:
        """Refresh the gauges of the assigned partitions; asks nothing of the broker."""
        assignment = self._consumer.assignment()
        PAUSED.labels(self._name).set(len(assignment) if self.is_paused else 0)
        for position in assignment:
            low, high = self._consumer.get_watermark_offsets(position, cached=True)
            settled = self._tracker.position(position.partition)
            if settled is None:
                settled = self._starts.get(position.partition, 0)
            if high >= 0:
                LAG.labels(self._name, position.partition).set(high - max(low, settled))

    def probe(self, timeout: float) -> str | None:
        """Say what is wrong with the topic, as the cluster tells it within ``timeout`` seconds; from any thread."""
        return probe_topic(self._admin, self._topic, timeout)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.has_joined = True
        for position in partitions:
            self._tracker.assign(position.partition)
        self._find_starts(partitions)
        consumer.incremental_assign(partitions)
        # The client remembers the pause of a partition that had left meanwhile, and would not fetch it for ever.
        (consumer.pause if self.is_paused else consumer.resume)(partitions)
        if partitions:
            logger.info("partitions assigned: %s", partition_numbers(partitions))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._on_leave(True)
        self.commit(wait=True)
        self._forget(partitions)
        consumer.incremental_unassign(partitions)
        logger.info("partitions revoked: %s", partition_numbers(partitions))

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._on_leave(False)
        self._forget(partitions)
        consumer.incremental_unassign(partitions)
        logger.warning("partitions lost, another member has them: %s", partition_numbers(partitions))

    def _forget(self, partitions: list[TopicPartition]) -> None:
        for position in partitions:
            self._tracker.revoke(position.partition)
            self._starts.pop(position.partition, None)
            LAG.remove(self._name, str(position.partition))

    def _find_starts(self, partitions: list[TopicPartition]) -> None:
        """Set each partition's offset; left as it is where the broker does not answer, and asked again on an error."""
        try:
            self.topic_id = self._watch.topic_id()
            for position in self._consumer.committed(partitions, timeout=_ANSWER_SECONDS):
                if position.error is not None:
                    raise KafkaException(position.error)
                low, high = self._consumer.get_watermark_offsets(position, timeout=_ANSWER_SECONDS)
                # Offsets that another tool committed carry no id, and are believed.
                same_topic = position.metadata in (None, "", self.topic_id)
                start = starting_offset(position.offset if position.offset >= 0 else None, same_topic, low, high)
                next(p for p in partitions if p.partition == position.partition).offset = start.offset
                self._starts[position.partition] = start.offset
                if start.warning is not None:
                    logger.error("partition %d: %s", position.partition, start.warning)
        except (KafkaException, TimeoutError) as error:
            logger.warning("committed offsets cannot be had yet: %s", error)

    def _on_error(self, message: Message, error: KafkaError) -> None:
        partition = message.partition()
        if error.code() == NO_POSITION and partition is not None and partition >= 0:
            self._restart([TopicPartition(self._topic, partition)])
        elif error.fatal():
            raise KafkaException(error)
        else:
            logger.warning("%s; the client goes on by itself", error)

    def _restart(self, partitions: list[TopicPartition]) -> None:
        """Begin partitions anew whose positions are not there (any more)."""
        self._on_leave(True)
        self.commit(wait=True)
        self._consumer.incremental_unassign(partitions)
        self._assigned(self._consumer, [TopicPartition(self._topic, position.partition) for position in partitions])

    def _committed(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        for position in partitions:
            failure = error or position.error
            if failure is not None:
                COMMIT_FAILURES.labels(self._name).inc()
                self._tracker.uncommitted(position.partition)
                if self._tracker.is_assigned(position.partition):
                    logger.warning("partition %d: the commit is made again: %s", position.partition, failure)
