"""Wake-ups of live sockets: who has something new in the inbox, said to Kafka after the commit.

Nobody waits for one, and a lost one is no loss: the process of live sockets looks into the inboxes every few seconds in
any case. So the producer wants one broker's word and keeps little, and gives up soon.
"""

import logging
from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from django.conf import settings

from contracts.console_event.event import ConsoleEvent, encode
from gateway.http.per_process import PerProcess
from gateway.notify.metrics import LOST_WAKE_UPS
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_MAX_WAITING = 10_000
_DELIVERY_SECONDS = 10


def wake(users: Iterable[int]) -> None:
    """Say that these users have something new; returns at once, and never fails.

    Args:
        users: primary keys.
    """
    producer = _producer()
    for user in users:
        try:
            producer.produce(settings.CONSOLE.topic, encode(ConsoleEvent(user)), on_delivery=_reported)
        except (BufferError, KafkaException) as error:
            _lost(error)
    # The reports of earlier ones, which would otherwise pile up.
    producer.poll(0)


def _reported(error: KafkaError | None, _message: Message) -> None:
    if error is not None:
        _lost(error)


def _lost(error: object) -> None:
    LOST_WAKE_UPS.inc()
    logger.warning("wake-ups of live sockets are lost, which delays notifications by seconds: %s", error)


def _connect(kafka: KafkaSettings) -> Producer:
    return Producer(
        client_config(kafka)
        | {
            "client.id": "wake-ups",
            "acks": "1",
            "linger.ms": 5,
            "message.timeout.ms": _DELIVERY_SECONDS * 1000,
            "queue.buffering.max.messages": _MAX_WAITING,
            "allow.auto.create.topics": False,
        },
        logger=LIBRDKAFKA,
    )


_producer = PerProcess(_connect, lambda: (settings.KAFKA,))
