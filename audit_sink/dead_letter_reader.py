"""Reads the dead-letter topic from its beginning to where it ended when reading began."""

from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from audit_sink.kafka import KafkaSettings, client_config
from audit_sink.logs import LIBRDKAFKA

_READ_RECORDS = 500
_ANSWER_SECONDS = 10.0


class DeadLetterReader:  # pylint: disable=too-few-public-methods  # it is read by iterating
    """One look at the whole topic; nothing is committed, so the next look sees the same.

    Args:
        kafka: how the cluster is reached.
        topic: the dead-letter topic.

    Raises:
        confluent_kafka.KafkaException: the cluster does not answer within ten seconds, or has no such topic.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._consumer = Consumer(
            client_config(kafka)
            | {
                "client.id": "audit-sink-dead-letters",
                "group.id": "audit-sink-dead-letters",
                "enable.auto.commit": False,
                "queued.max.messages.kbytes": 16 * 1024,
            },
            logger=LIBRDKAFKA,
        )
        found = self._consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        self._ends: dict[int, int] = {}
        self._starts: list[TopicPartition] = []
        self.count = 0
        for partition in found.partitions:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_SECONDS)
            self.count += high - low
            if high > low:
                self._ends[partition] = high
                self._starts.append(TopicPartition(topic, partition, low))

    def __iter__(self) -> Iterator[Message]:
        """Every record, once; may be gone through once.

        Raises:
            confluent_kafka.KafkaException: reading fails.
        """
        self._consumer.assign(self._starts)
        left = set(self._ends)
        try:
            while left:
                for record in self._consumer.consume(_READ_RECORDS, 1.0):
                    error = record.error()
                    if error is not None and not error.retriable():
                        raise KafkaException(error)
                    if error is None and (record.offset() or 0) < self._ends[record.partition() or 0]:
                        yield record
                # The position, unlike a record's offset, also crosses what is no record.
                left = {each.partition for each in self._consumer.position(self._starts) if not self._is_at_end(each)}
        finally:
            self._consumer.close()

    def _is_at_end(self, position: TopicPartition) -> bool:
        return position.offset >= self._ends[position.partition]
