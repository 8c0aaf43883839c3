"""The Kafka producer of the audit trail: events go out in order, and a delivery report is the only proof of arrival.

Why: the Python binding raises a fatal error of an idempotent producer (a fenced epoch, say) once, from ``poll``, and
never passes it to ``error_cb``. The producer is then purged, so that its events go to the spool, and made anew; what
was under way may arrive twice, with one id. Flushing first would lose reports, and ending the process would fail every
request in work.
"""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from gateway.audit.spool_format import Record
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.2


_REFUSED_FOR_GOOD = frozenset(
    {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.INVALID_RECORD}
)
"""Of the errors that Kafka's protocol calls not retriable, those that are about the record that was sent.

The others are about the topic, the cluster or this machine, such as TOPIC_AUTHORIZATION_FAILED or INVALID_TIMESTAMP:
once somebody has mended that, Kafka takes the same record. See https://kafka.apache.org/43/design/protocol#error-codes.
"""

Report = Callable[[KafkaError | None, Message | None], None]
"""Takes a delivery report: what went wrong, or None."""


class Delivery:
    """One event on its way to Kafka."""

    def __init__(self) -> None:
        self._reported = threading.Event()
        self._error: KafkaError | None = None

    def report(self, error: KafkaError | None, _message: Message | None = None) -> None:
        """Take the delivery report."""
        self._error = error
        self._reported.set()

    @property
    def error(self) -> KafkaError | None:
        """Reason why Kafka does not have it, without anything of the event; None if it has, or may still get it."""
        return self._error

    @property
    def is_refused_for_good(self) -> bool:
        """Whether sending it once more, by itself, is in vain; a batch may be too large where its events are not."""
        return self._error is not None and self._error.code() in _REFUSED_FOR_GOOD

    @property
    def is_reported(self) -> bool:
        """Whether its fate is known."""
        return self._reported.is_set()

    def is_acknowledged(self, timeout: float) -> bool:
        """Wait for the report.

        Args:
            timeout: seconds after which the answer is no; the event may still arrive.

        Returns:
            whether Kafka has the event.
        """
        return self._reported.wait(timeout) and self._error is None


class EventProducer(Protocol):
    """Way of events to Kafka."""

    # pylint: disable=missing-function-docstring  # described at KafkaEventProducer
    @property
    def pending(self) -> int: ...
    def produce(self, record: Record, report: Report) -> None: ...
    def collect_reports(self) -> None: ...
    def probe(self, timeout: float) -> None: ...


class KafkaEventProducer:
    """One idempotent producer, replaced when it cannot go on.

    It tries for as long as it lives: an event that is not acknowledged yet keeps its place before those behind it, and
    is never in the topic twice.

    Args:
        kafka: how the cluster is reached.
        topic: where events go.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._lock = threading.Lock()
        self._producer = self._connect()

    def produce(self, record: Record, report: Report) -> None:
        """Send an event; ``report`` is called from ``collect_reports`` when its fate is known.

        Raises:
            KafkaException: it is refused at once (an unknown topic, a producer that cannot go on).
            BufferError: too many events are on their way.
        """
        with self._lock:
            self._producer.produce(
                self._topic, key=record.key, value=record.value, headers=[*record.headers], on_delivery=report
            )

    def collect_reports(self) -> None:
        """Hand out the delivery reports of the next moment; replace a producer that cannot go on."""
        try:
            self._producer.poll(_POLL_SECONDS)
        except KafkaException as error:
            # Fatal errors are raised here, once, and no others are: librdkafka mends them by itself.
            logger.error("the producer cannot go on and is replaced: %s", error)
            self._replace()

    def probe(self, timeout: float) -> None:
        """Ask the cluster for the topic.

        Raises:
            KafkaException: the cluster does not answer within ``timeout`` seconds.
            LookupError: it has no such topic.
        """
        if self._topic not in self._producer.list_topics(timeout=timeout).topics:
            raise LookupError(f"Kafka has no topic {self._topic}")

    @property
    def pending(self) -> int:
        """Events whose fate is not known yet."""
        return len(self._producer)

    def _replace(self) -> None:
        with self._lock:
            # The events that it had left are reported as failed, and so their senders send them again.
            self._producer.purge()
            self._producer.flush()
            self._producer = self._connect()

    def _connect(self) -> Producer:
        return Producer(
            client_config(self._kafka)
            | {
                "client.id": "gateway",
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 0,
                "socket.nagle.disable": True,
                # Without end, so that no event fails, and is sent once more, merely because Kafka was away.
                "delivery.timeout.ms": 0,
                # A broker that has stopped answering, its connections open, is left after this.
                "socket.timeout.ms": 10_000,
                "request.timeout.ms": 5_000,
                "queue.buffering.max.kbytes": 64 * 1024,
                "reconnect.backoff.max.ms": 1000,
            },
            logger=LIBRDKAFKA,
        )
