"""The audit trail: an event is acknowledged by Kafka, or on this machine's disk, before its request is answered."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Message
from django.conf import settings

from audit_sink.event import AuditEvent, encode, headers
from audit_sink.kafka import KafkaSettings
from elastic.logs import OncePerInterval
from gateway import metrics
from gateway.problems import Code, Unavailable
from gateway.producer import Delivery, EventProducer
from gateway.settings import AuditMode
from gateway.spool import Segment, Spool, SpoolFull
from gateway.spool_format import Record

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_WATCH_SECONDS = 0.2
_RETRY_SECONDS = 1.0
_DRAIN_SECONDS = 5.0


class _Stopped(Exception):
    """The process ends, and what is left stays in the spool."""


class AuditTrail:  # pylint: disable=too-many-instance-attributes  # the two ways of an event, and what guards them
    """The way of events from this process to Kafka, straight or through the spool.

    Events go straight while Kafka acknowledges them in time. The first that it does not goes to the spool, and so do
    all after it, until the spool has been sent: one user's events stay in their order. Two threads live until the
    process ends: one collects delivery reports, one sends the spool.

    Args:
        producer: the way to Kafka.
        spool: the way to the disk; what is in it is sent first.
        mode: whether an event is waited for.
        timeout: seconds that Kafka has to acknowledge an event before the spool takes it.
    """

    def __init__(self, producer: EventProducer, spool: Spool, mode: AuditMode, timeout: float) -> None:
        self._producer = producer
        self._spool = spool
        self._mode = mode
        self._timeout = timeout
        self._straight = spool.segments == 0
        self._reachable = False
        # Deliveries that were not waited for any longer: their events are in the spool as well.
        self._in_doubt: dict[str, Delivery] = {}
        self._gate = threading.Lock()
        self._appending = 0
        self._appended = threading.Condition()
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._drain_until: float | None = None
        self._measure()
        # Not daemons: the interpreter waits for them on the way out, so that what can be sent is sent.
        threading.Thread(target=self._collect_reports, name="audit-reports").start()
        threading.Thread(target=self._send_spool, name="audit-spool").start()

    @property
    def spool(self) -> Spool:
        """What waits on the disk."""
        return self._spool

    @property
    def works_without_kafka(self) -> bool:
        """Whether requests are answered while Kafka is down."""
        return self._mode is AuditMode.ASYNC or self._spool.has_room

    def record(self, event: AuditEvent, traceparent: str | None) -> None:
        """Put an event on the trail and, in the mode ``durable``, wait until it is safe.

        An event that is not safe in time may still arrive: the trail can hold an event of a request that was answered
        with 503, never the other way round.

        Raises:
            Unavailable: neither Kafka nor the disk has taken the event.
        """
        record = Record(event.event_id, event.user_id, encode(event), headers(event, traceparent))
        if self._mode is AuditMode.ASYNC:
            self._let_go(record)
            return
        delivery = None
        with self._gate:
            if self._straight:
                delivery = self._try(record)
            if delivery is None:
                self._begin_append()
        if delivery is not None:
            if delivery.is_acknowledged(self._timeout):
                return
            with self._gate:
                self._in_doubt[record.event_id] = delivery
                self._begin_append()
        self._append(record)

    def probe(self, timeout: float) -> None:
        """Ask Kafka for the topic; see ``EventProducer.probe``."""
        self._producer.probe(timeout)

    def _let_go(self, record: Record) -> None:
        try:
            self._producer.produce(record, _count_failure)
        except (KafkaException, BufferError):
            metrics.AUDIT_DROPPED.inc()

    def _try(self, record: Record) -> Delivery | None:
        """Send an event, unless it is refused at once."""
        delivery = Delivery()
        try:
            self._producer.produce(record, delivery.report)
        except (KafkaException, BufferError) as error:
            logger.error("event %s is refused: %s", record.event_id, error)
            return None
        return delivery

    def _begin_append(self) -> None:
        """With the gate held: from here on events go to the spool."""
        if self._straight:
            logger.error("Kafka does not take events within %g s; they go to the spool", self._timeout)
        self._straight = self._reachable = False
        with self._appended:
            self._appending += 1

    def _append(self, record: Record) -> None:
        try:
            self._spool.append(record)
        except (SpoolFull, OSError) as error:
            self._in_doubt.pop(record.event_id, None)
            logger.error("event %s is not recorded: %s", record.event_id, error)
            raise Unavailable(
                Code.AUDIT_UNAVAILABLE, "The audit trail cannot be written, so nothing is answered; try again."
            ) from None
        finally:
            with self._appended:
                self._appending -= 1
                self._appended.notify()
            self._wake.set()
        metrics.SPOOLED.inc()
        self._measure()

    def _measure(self) -> None:
        metrics.SPOOL_RECORDS.set(self._spool.records)
        metrics.SPOOL_BYTES.set(self._spool.bytes)

    def _collect_reports(self) -> None:
        while not self._ended.is_set():
            self._producer.collect_reports()

    def _send_spool(self) -> None:
        with suppress(_Stopped):
            while True:
                self._check_end()
                try:
                    self._send_next()
                except OSError as error:
                    logger.error("the spool cannot be read: %s", error)
                    self._pause()
        if self._mode is AuditMode.ASYNC and (lost := self._producer.pending):
            metrics.AUDIT_DROPPED.inc(lost)
            logger.error("%d events are lost: Kafka has not acknowledged them", lost)
        self._ended.set()

    def _send_next(self) -> None:
        """Send the oldest segment, or let events go straight again if there is none."""
        if self._straight and not self._spool.segments:
            self._wake.wait(_WATCH_SECONDS)
            self._wake.clear()
            return
        # Kafka answers, and little is left: that is sent, and new events go straight, in its wake.
        handing_over = self._reachable and self._spool.segments <= 1
        with self._closed_gate() if handing_over else nullcontext():
            segment = self._spool.oldest()
            sent = [] if segment is None else self._produce(segment)
            if handing_over:
                self._straight = True
        if segment is None:
            self._wait_for_kafka()
        else:
            self._settle(segment, sent)
        self._reachable = True

    @contextmanager
    def _closed_gate(self) -> Iterator[None]:
        """Let new events wait, once those that are being appended are on the disk."""
        with self._gate:
            with self._appended:
                self._appended.wait_for(lambda: not self._appending)
            yield

    def _produce(self, segment: Segment) -> list[tuple[Record, Delivery | None]]:
        """Send a segment; one that is still on its way from before is not sent twice."""
        records, damaged_bytes = self._spool.read(segment)
        if damaged_bytes:
            metrics.SPOOL_DAMAGED_BYTES.inc(damaged_bytes)
            logger.error("%s: %d bytes are no whole event and are passed over", segment.path, damaged_bytes)
        return [(record, self._in_doubt.pop(record.event_id, None) or self._try(record)) for record in records]

    def _settle(self, segment: Segment, sent: list[tuple[Record, Delivery | None]]) -> None:
        """Wait until Kafka has all of a segment, sending again what it refuses, and remove it."""
        while failed := [record for record, delivery in sent if not self._arrives(delivery)]:
            with self._gate:
                self._straight = self._reachable = False
            self._wait_for_kafka()
            sent = [(record, self._try(record)) for record in failed]
        self._spool.remove(segment)
        self._measure()
        if not self._spool.segments:
            logger.info("the spool has been sent")

    def _arrives(self, delivery: Delivery | None) -> bool:
        while delivery is not None and not delivery.is_reported:
            self._check_end()
            delivery.is_acknowledged(_WATCH_SECONDS)
        return delivery is not None and delivery.is_acknowledged(0)

    def _wait_for_kafka(self) -> None:
        while True:
            self._pause()
            try:
                return self._producer.probe(_RETRY_SECONDS)
            except (KafkaException, LookupError) as error:
                logger.error("the spool cannot be sent: %s", error)

    def _pause(self) -> None:
        until = time.monotonic() + _RETRY_SECONDS
        while time.monotonic() < until:
            self._check_end()
            time.sleep(_WATCH_SECONDS)

    def _check_end(self) -> None:
        """Raise _Stopped once the process is on its way out and nothing more is, or can be, sent."""
        if threading.main_thread().is_alive():
            return
        self._drain_until = self._drain_until or time.monotonic() + _DRAIN_SECONDS
        is_done = not self._spool.segments and not self._producer.pending
        is_hopeless = not self._straight and not self._reachable
        if is_done or is_hopeless or time.monotonic() > self._drain_until:
            raise _Stopped


def _count_failure(error: KafkaError | None, _message: Message) -> None:
    if error is not None:
        metrics.AUDIT_DROPPED.inc()


_lock = threading.Lock()


@cache
def _start(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # the key of the cache
    kafka: KafkaSettings, topic: str, mode: AuditMode, timeout: float, spool_dir: Path, spool_bytes: int
) -> AuditTrail:
    return AuditTrail(EventProducer(kafka, topic), Spool.claim(spool_dir, spool_bytes), mode, timeout)


def audit_trail() -> AuditTrail:
    """The process's trail, made at its first use: neither librdkafka's threads nor the spool's lock survive a fork.

    Raises:
        OSError: there can be no spool.
    """
    gateway = settings.GATEWAY
    with _lock:
        return _start(
            settings.KAFKA,
            settings.AUDIT.topic,
            gateway.audit_mode,
            gateway.audit_timeout,
            gateway.spool_dir,
            gateway.spool_bytes,
        )
