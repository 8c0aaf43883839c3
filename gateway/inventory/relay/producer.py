"""Kafka producer of the worker: what it sends is acknowledged when it returns."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from contracts.inventory_change.change import MAX_RECORD_BYTES
from kit.kafka import LIBRDKAFKA, KafkaSettings, NewRecord, client_config

logger = logging.getLogger(__name__)

_DELIVERY_SECONDS = 10
_POLL_SECONDS = 0.1


class Position(NamedTuple):
    """Place of a record that Kafka has."""

    partition: int
    offset: int


class WorkerProducer:  # pylint: disable=too-few-public-methods  # it sends
    """An idempotent producer that is made anew after each failure, so that nothing arrives that was given up.

    Args:
        kafka: how the cluster is reached.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._producer = self._connect()

    def send(self, records: Sequence[NewRecord]) -> list[Position]:
        """Send records, those of one key in their order, and wait until Kafka has acknowledged them.

        Returns:
            where each is.

        Raises:
            KafkaException: one is not acknowledged in time; some may be in their topic all the same.
        """
        places: list[Position | None] = [None] * len(records)
        errors: list[KafkaError] = []

        def report(number: int, error: KafkaError | None, message: Message) -> None:
            partition, offset = message.partition(), message.offset()
            if error is not None or partition is None or offset is None:
                errors.append(error or KafkaError(KafkaError.UNKNOWN))
            else:
                places[number] = Position(partition, offset)

        try:
            for number, record in enumerate(records):
                self._produce(record, partial(report, number))
            while len(self._producer) and not errors:
                self._producer.poll(_POLL_SECONDS)
        except KafkaException:
            self._replace()
            raise
        if errors:
            self._replace()
            raise KafkaException(errors[0])
        return [place for place in places if place is not None]

    def _produce(self, record: NewRecord, report: "partial[None]") -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic, value=record.value, key=record.key, headers=[*record.headers], on_delivery=report
                )
                return
            except BufferError:
                self._producer.poll(_POLL_SECONDS)

    def _replace(self) -> None:
        self._producer.purge()
        self._producer = self._connect()

    def _connect(self) -> Producer:
        return Producer(
            client_config(self._kafka)
            | {
                "client.id": "worker",
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 1,
                "message.max.bytes": MAX_RECORD_BYTES,
                "delivery.timeout.ms": _DELIVERY_SECONDS * 1000,
                "queue.buffering.max.kbytes": 64 * 1024,
                "allow.auto.create.topics": False,
                "topic.metadata.propagation.max.ms": 5_000,
            },
            logger=LIBRDKAFKA,
        )
