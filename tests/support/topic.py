"""A topic as it stands, read without a trace in any group."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TypeVar

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from tests.support.waiting import eventually

T = TypeVar("T")


def reader(bootstrap: str, group: str = "reader") -> Consumer:
    """A consumer that commits nothing."""
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})


def records(bootstrap: str, topic: str, partitions: Iterable[int]) -> list[Message]:
    """Every record of these partitions, each partition in its order."""
    with closing(reader(bootstrap)) as consumer:
        starts, ends = [], {}
        for number in partitions:
            low, ends[number] = watermarks(consumer, TopicPartition(topic, number))
            starts.append(TopicPartition(topic, number, low))
        unread = sum(ends[start.partition] - start.offset for start in starts)
        consumer.assign(starts)
        found: list[Message] = []

        def is_read() -> bool:
            # No more than there are: the client waits for as many as it is asked for.
            for message in consumer.consume(min(1000, unread - len(found)), 1.0):
                # Others may be produced meanwhile.
                if message.error() is None and (message.offset() or 0) < ends[message.partition() or 0]:
                    found.append(message)
            return len(found) == unread

        eventually(is_read, f"every record of {topic} is read")
        return found


def wait_for_leaders(bootstrap: str, topic: str, partitions: Iterable[int]) -> None:
    """Wait until each partition can be read: one that has just been made has no leader yet."""
    with closing(reader(bootstrap)) as consumer:
        for number in partitions:
            watermarks(consumer, TopicPartition(topic, number))


def watermarks(consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    """The first offset of a partition, and the one after its last record."""
    return told(lambda: consumer.get_watermark_offsets(partition, timeout=10), f"the ends of {partition}")


def told(question: Callable[[], T], what: str) -> T:
    """An answer of the broker; asked again while a leader or coordinator is not elected yet."""
    answers: list[T] = []

    def is_told() -> bool:
        try:
            answers.append(question())
        except KafkaException:
            return False
        return True

    eventually(is_told, what)
    return answers[0]
