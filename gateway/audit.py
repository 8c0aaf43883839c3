"""The audit trail's producer: an event is durable in Kafka before its request is answered."""

import logging
import threading
from concurrent.futures import Future
from functools import cache

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from django.conf import settings

from audit_sink.event import AuditEvent, encode, headers
from audit_sink.kafka import KafkaSettings, client_config
from gateway.problems import Code, Unavailable

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_REPEAT_SECONDS = 30.0


class OncePerInterval(logging.Filter):  # pylint: disable=too-few-public-methods  # as the standard library has it
    """Passes one line of each kind (its first word) in ``_REPEAT_SECONDS``.

    While the broker is away, librdkafka would say so twenty times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is the first of its kind for a while."""
        kind = record.getMessage().partition(" ")[0]
        if record.created - self._passed.get(kind, 0.0) < _REPEAT_SECONDS:
            return False
        self._passed[kind] = record.created
        return True


_librdkafka_logger = logging.getLogger(f"{__name__}.librdkafka")
_librdkafka_logger.addFilter(OncePerInterval())


class AuditTrail:
    """One idempotent producer, and the thread that collects its delivery reports until the process ends.

    Args:
        kafka: how the cluster is reached.
        topic: where events go.
        timeout: seconds within which Kafka must acknowledge an event.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, timeout: float) -> None:
        self.broken = False
        self._topic = topic
        self._timeout = timeout
        self._producer = Producer(
            client_config(kafka)
            | {
                "client.id": "gateway",
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 0,
                "socket.nagle.disable": True,
                "delivery.timeout.ms": int(timeout * 1000),
                "queue.buffering.max.kbytes": 64 * 1024,
                "reconnect.backoff.max.ms": 1000,
                "error_cb": self.on_error,
            },
            logger=_librdkafka_logger,
        )
        # Not a daemon: the interpreter waits for it on the way out, so that nothing is left unsent.
        threading.Thread(target=self._collect_reports, name="audit-reports").start()

    def record(self, event: AuditEvent, traceparent: str | None) -> None:
        """Put an event on the trail and wait until Kafka has it.

        An event that is not acknowledged in time may still arrive: the trail can hold an event of a request that was
        answered with 503, never the other way round.

        Raises:
            Unavailable: Kafka has not acknowledged the event in time, or refuses it.
        """
        acknowledged: Future[None] = Future()

        def report(error: KafkaError | None, _message: Message) -> None:
            if error is None:
                acknowledged.set_result(None)
            else:
                acknowledged.set_exception(KafkaException(error))

        try:
            self._producer.produce(
                self._topic,
                key=event.user_id,
                value=encode(event),
                headers=[*headers(event, traceparent)],
                on_delivery=report,
            )
            acknowledged.result(self._timeout)
        except (KafkaException, BufferError, TimeoutError) as error:
            logger.error("event %s is not acknowledged: %s", event.event_id, str(error) or "no answer in time")
            raise Unavailable(
                Code.AUDIT_UNAVAILABLE, "The audit trail cannot be written, so nothing is answered; try again."
            ) from None

    def probe(self, timeout: float) -> None:
        """Ask the cluster for the topic.

        Raises:
            KafkaException: the cluster does not answer within ``timeout`` seconds.
            LookupError: it has no such topic.
        """
        if self._topic not in self._producer.list_topics(timeout=timeout).topics:
            raise LookupError(f"Kafka has no topic {self._topic}")

    def on_error(self, error: KafkaError) -> None:
        """Note an error of the producer as a whole; librdkafka mends all but the fatal ones by itself."""
        if error.fatal():
            logger.error("the producer cannot go on and is replaced: %s", error)
            self.broken = True

    def _collect_reports(self) -> None:
        while threading.main_thread().is_alive() and not self.broken:
            self._producer.poll(_POLL_SECONDS)
        self._producer.flush(self._timeout)


_lock = threading.Lock()


@cache
def _connect(kafka: KafkaSettings, topic: str, timeout: float) -> AuditTrail:
    return AuditTrail(kafka, topic, timeout)


def audit_trail() -> AuditTrail:
    """The process's producer, made at its first use: librdkafka's threads do not survive a fork."""
    arguments = settings.KAFKA, settings.AUDIT.topic, settings.GATEWAY.audit_timeout
    with _lock:
        trail = _connect(*arguments)
        if trail.broken:
            _connect.cache_clear()
            trail = _connect(*arguments)
        return trail
