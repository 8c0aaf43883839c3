"""Produces events at a steady rate; one in 200 is of the kind that becomes a dead letter."""

import time
from datetime import UTC, datetime
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from msgspec.structs import replace

from contracts.query_event.event import encode, headers
from tests.chaos.account import Account, event_id
from tests.chaos.background import Background
from tests.support.query_event import event
from tests.support.trail import Trail, refused_by_mapping

_EVERY_SECONDS = 0.05
_CONFIG = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 5,
    "log_level": 0,
    # Short enough that some outages outlast it, and the fate of some events is unknown.
    "delivery.timeout.ms": 10_000,
}


class Load(Background):  # pylint: disable=too-few-public-methods  # it is a context
    """Produces in a thread of its own while the context lasts, and keeps the account.

    Args:
        trail: where to.
        account: is told of every event, and of every acknowledgement.
        rate: events a second.
    """

    def __init__(self, trail: Trail, account: Account, rate: int) -> None:
        super().__init__()
        self._trail = trail
        self._account = account
        self._chunk = round(rate * _EVERY_SECONDS)
        self._is_fatal = False

    def _run(self) -> None:
        producer = self._connect()
        while not self._ended.wait(_EVERY_SECONDS):
            for _ in range(self._chunk):
                self._produce(producer)
            producer.poll(0)
            if self._is_fatal:
                producer.flush(1)
                producer = self._connect()
        producer.flush()

    def _connect(self) -> Producer:
        self._is_fatal = False
        return Producer({"bootstrap.servers": self._trail.bootstrap, **_CONFIG})

    def _produce(self, producer: Producer) -> None:
        number = self._account.open()
        each = replace(event(number, datetime.now(UTC)), event_id=event_id(number))
        value = encode(each)
        if number % 200 == 0:
            value = refused_by_mapping(each) if number % 400 else b"no event"
        report = partial(self._delivered, number)
        try:
            producer.produce(
                self._trail.topic, key=each.user_id, value=value, headers=[*headers(each, None)], on_delivery=report
            )
        except BufferError:  # an outage so long that the queue is full: not produced, and so not acknowledged
            time.sleep(_EVERY_SECONDS)
        except KafkaException:  # an idempotent producer that can no longer say what is in the log
            self._is_fatal = True

    def _delivered(self, number: int, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self._account.acknowledge(number)
        elif error.fatal():
            self._is_fatal = True
