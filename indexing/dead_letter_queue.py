"""Producer of dead letters, which sends each until Kafka acknowledges it."""

import logging
import time
from collections.abc import Callable
from itertools import count
from random import Random

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from indexing.batch import DeadLetter
from indexing.dead_letter import MAX_ENVELOPE_BYTES, envelope
from indexing.metrics import DEAD_LETTERS
from indexing.retry_queue import RetryQueue
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

logger = logging.getLogger(__name__)


_Sending = tuple[DeadLetter, Callable[[], None], int]
"""A letter, what to call once the topic has it, and how often it was tried."""


class DeadLetterQueue:  # pylint: disable=too-many-instance-attributes  # one producer, and what is under way
    """The dead-letter topic's producer. Nothing is dropped: a letter that is refused is sent again after a back-off.

    Args:
        kafka: how the cluster is reached.
        topic: the dead-letter topic.
        consumer: name of the consumer, for metrics and Kafka's client id.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, consumer: str) -> None:
        self.trouble: str | None = None
        self._topic = topic
        self._retries: RetryQueue[_Sending] = RetryQueue(Random())
        self._under_way: dict[int, _Sending] = {}
        self._numbers = count()
        self._kafka = kafka
        self._consumer = consumer
        self._producer = self._connect()

    def _connect(self) -> Producer:
        return Producer(
            client_config(self._kafka)
            | {
                "client.id": self._consumer,
                "enable.idempotence": True,
                "acks": "all",
                "message.max.bytes": MAX_ENVELOPE_BYTES + 64 * 1024,
                "delivery.timeout.ms": 30_000,
                "linger.ms": 5,
                "queue.buffering.max.kbytes": 32 * 1024,
                "allow.auto.create.topics": False,
                # How long a missing topic may be on its way before a letter to it counts as refused.
                "topic.metadata.propagation.max.ms": 5_000,
            },
            logger=LIBRDKAFKA,
        )

    def send(self, letter: DeadLetter, on_acknowledged: Callable[[], None], attempt: int = 0) -> None:
        """Send a letter; ``on_acknowledged`` is called, by ``serve``, once the topic has it."""
        sealed = envelope(letter)
        number = next(self._numbers)
        self._under_way[number] = (letter, on_acknowledged, attempt)

        def report(error: KafkaError | None, _message: Message) -> None:
            if self._under_way.pop(number, None) is None:  # of a producer that has been replaced
                return
            if error is not None:
                self._again(letter, on_acknowledged, attempt + 1, str(error))
                return
            if self.trouble is not None:
                logger.info("the dead-letter topic takes letters again")
                self.trouble = None
            DEAD_LETTERS.labels(self._consumer, letter.reason).inc()
            on_acknowledged()

        try:
            self._producer.produce(
                self._topic, key=sealed.key, value=sealed.value, headers=[*sealed.headers], on_delivery=report
            )
        except (KafkaException, BufferError) as error:
            del self._under_way[number]
            self._again(letter, on_acknowledged, attempt + 1, str(error))

    def serve(self) -> None:
        """Take in acknowledgements and send what is due again; called often, never blocks."""
        try:
            self._producer.poll(0)
        except KafkaException as error:
            self._replace_producer(error)
        for letter, on_acknowledged, attempt in self._retries.take_due(time.monotonic()):
            self.send(letter, on_acknowledged, attempt)

    def _replace_producer(self, error: KafkaException) -> None:
        """Begin anew with the unacknowledged letters: an idempotent producer does not survive every error."""
        logger.error("the producer of dead letters cannot go on and is replaced: %s", error)
        self._producer = self._connect()
        lost, self._under_way = self._under_way, {}
        for letter, on_acknowledged, attempt in lost.values():
            self._retries.put((letter, on_acknowledged, attempt + 1), attempt + 1, time.monotonic())

    def _again(self, letter: DeadLetter, on_acknowledged: Callable[[], None], attempt: int, reason: str) -> None:
        if self.trouble is None:
            logger.error("the topic %s refuses dead letters, nothing moves on without it: %s", self._topic, reason)
        self.trouble = reason
        self._retries.put((letter, on_acknowledged, attempt), attempt, time.monotonic())
