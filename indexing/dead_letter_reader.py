"""Reader of the dead-letter topic, from its beginning to where it ended when reading began."""

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from indexing.replay_marker import replayed_until
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

_READ_RECORDS = 500
_ANSWER_SECONDS = 5.0
_STUCK_SECONDS = 30.0
_TIMED_OUT = KafkaError._TIMED_OUT  # pylint: disable=protected-access  # a public constant all the same


def reader_group(consumer: str) -> str:
    """Name the group that librdkafka wants for a consumer's dead letters, though no offset is committed for it."""
    return f"{consumer}-dead-letters"


class DeadLetterReader:
    """One look at the topic, by iterating or at one offset; nothing is committed, so the next look sees the same.

    The markers of replays are left out.

    Args:
        kafka: how the cluster is reached.
        topic: the dead-letter topic.
        consumer: name of the consumer whose letters they are, for Kafka's client and group id.

    Attributes:
        count: how many records there are at most (markers and what compaction left out are counted too).
        ends: by partition that has records, the offset after its last one.

    Raises:
        confluent_kafka.KafkaException: the cluster does not answer within five seconds, or has no such topic.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, consumer: str) -> None:
        self._consumer = Consumer(
            client_config(kafka)
            | {
                "client.id": consumer,
                "group.id": reader_group(consumer),
                "enable.auto.commit": False,
                # Only records that retention deletes during the read are passed over, not everything up to the end.
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": 16 * 1024,
            },
            logger=LIBRDKAFKA,
        )
        self._topic = topic
        found = self._consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic]
        if found.error is not None:
            raise KafkaException(KafkaError(found.error.code(), f"{found.error.str()}: {topic}"))
        self.ends: dict[int, int] = {}
        self._starts: list[TopicPartition] = []
        self.count = 0
        for partition in found.partitions:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_SECONDS)
            self.count += high - low
            if high > low:
                self.ends[partition] = high
                self._starts.append(TopicPartition(topic, partition, low))

    def __iter__(self) -> Iterator[Message]:
        """Every letter, once; may be gone through once.

        Raises:
            confluent_kafka.KafkaException: reading fails, or does not get any further for 30 seconds.
        """
        try:
            yield from _letters(self._read(self._starts))
        finally:
            self._consumer.close()

    def unreplayed(self) -> Iterator[Message]:
        """Every letter that no replay has read yet, once; may be gone through once.

        A marker comes after its letters, so the topic is read twice, the second time from the markers' offsets on.

        Raises:
            confluent_kafka.KafkaException: as by iterating.
        """
        try:
            offsets = {start.partition: start.offset for start in self._starts}
            for record in self._read(self._starts):
                until, partition = replayed_until(record), record.partition() or 0
                offsets[partition] = max(offsets[partition], until or 0)
            starts = [TopicPartition(self._topic, partition, offset) for partition, offset in offsets.items()]
            yield from _letters(self._read([start for start in starts if start.offset < self.ends[start.partition]]))
        finally:
            self._consumer.close()

    def at(self, partition: int, offset: int) -> Message | None:
        """Return the letter at an offset, or None, and close the reader.

        Raises:
            confluent_kafka.KafkaException: reading fails, or does not get any further for 30 seconds.
        """
        low = next((start.offset for start in self._starts if start.partition == partition), None)
        try:
            if low is None or not low <= offset < self.ends[partition]:
                return None
            record = next(_letters(self._read([TopicPartition(self._topic, partition, offset)])), None)
            return record if record is not None and record.offset() == offset else None
        finally:
            self._consumer.close()

    def _read(self, starts: list[TopicPartition]) -> Iterator[Message]:
        self._consumer.assign(starts)
        left = starts
        last_progress = time.monotonic()
        while left:
            # No more than there are: the client waits for as many as it is asked for.
            unread = sum(self.ends[each.partition] - each.offset for each in left)
            records = self._consumer.consume(min(unread, _READ_RECORDS), 1.0)
            for record in records:
                error = record.error()
                if error is not None and not error.retriable():
                    raise KafkaException(error)
                if error is None and (record.offset() or 0) < self.ends[record.partition() or 0]:
                    last_progress = time.monotonic()
                    yield record
            # The position, unlike a record's offset, also crosses what is no record.
            left = [each for each in self._consumer.position(starts) if each.offset < self.ends[each.partition]]
            if left and time.monotonic() - last_progress > _STUCK_SECONDS:
                raise KafkaException(KafkaError(_TIMED_OUT, f"{self._topic} stays silent"))


def _letters(records: Iterator[Message]) -> Iterator[Message]:
    return (record for record in records if replayed_until(record) is None)
