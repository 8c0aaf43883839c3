"""The audit trail: an event is acknowledged by Kafka, or on this machine's disk, before its request is answered."""

import errno
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from itertools import zip_longest
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Message
from django.conf import settings

from audit_sink.event import AuditEvent, encode, headers
from audit_sink.kafka import KafkaSettings
from elastic.logs import OncePerInterval
from gateway import metrics
from gateway.problems import Code, Unavailable
from gateway.producer import Delivery, EventProducer, Report
from gateway.settings import AuditMode
from gateway.spool import Segment, Spool, SpoolFull
from gateway.spool_format import Record

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_WATCH_SECONDS = 0.2
_RETRY_SECONDS = 1.0
_DRAIN_SECONDS = 5.0
_LOST = frozenset({errno.EIO, errno.EBADMSG, errno.ENOENT})
"""Errors of a bad disk, a bad file system, or a file that is gone; any other may pass."""


class _Stopped(Exception):
    """The process ends, and what is left stays in the spool."""


class AuditTrail:  # pylint: disable=too-many-instance-attributes  # the two ways of an event, and what guards them
    """The way of events from this process to Kafka, straight or through the spool.

    Events go straight while Kafka acknowledges them in time. The first that it does not goes to the spool, and so do
    all after it, until the spool has been sent: one user's events stay in their order. An event that Kafka refuses for
    good is kept beside the spool, so that those behind it pass. Two threads live until the process ends: one collects
    delivery reports, one sends the spool.

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
    def has_room(self) -> bool:
        """Whether an event that Kafka does not take now can be kept, however large it is, or need not be.

        A disk that has refused an event counts as full until it takes one, or until Kafka takes them again.
        """
        if self._mode is AuditMode.ASYNC:
            return True
        return self._spool.has_room and (self._straight or self._spool.is_writable())

    def record(self, event: AuditEvent, traceparent: str | None) -> None:
        """Put an event on the trail and, in the mode ``durable``, wait until it is safe.

        An event that is not safe in time may still arrive: the trail can hold an event of a request that was answered
        with 503, never the other way round.

        Raises:
            Unavailable: neither Kafka nor the disk has taken the event.
        """
        record = Record(event.event_id, event.user_id, encode(event), headers(event, traceparent))
        if self._mode is AuditMode.ASYNC:
            self._send(record, _count_failure)
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
                self._begin_append(delivery.error)
        self._append(record)

    def probe(self, timeout: float) -> None:
        """Ask Kafka for the topic; see ``EventProducer.probe``."""
        self._producer.probe(timeout)

    def _try(self, record: Record) -> Delivery:
        delivery = Delivery()
        self._send(record, delivery.report)
        return delivery

    def _send(self, record: Record, report: Report) -> None:
        """Send an event; one that is refused at once is reported at once."""
        try:
            self._producer.produce(record, report)
        except KafkaException as error:
            report(error.args[0], None)
        except BufferError:
            report(KafkaError(KafkaError._QUEUE_FULL), None)  # pylint: disable=protected-access  # it is public

    def _begin_append(self, error: KafkaError | None = None) -> None:
        """With the gate held: from here on events go to the spool."""
        if self._straight:
            reason = error or f"no acknowledgement within {self._timeout:g} s"
            logger.error("Kafka does not take events: %s; they go to the spool", reason)
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
        # Kafka answers, and little is left: new events wait until it has that, and then go straight.
        handing_over = self._reachable and self._spool.segments <= 1
        with self._closed_gate() if handing_over else nullcontext():
            segment, records = self._oldest()
            sent = self._produce(records)
            if handing_over:
                self._straight = self._arrive_in_time(sent)
        if segment is not None:
            self._settle(segment, records, sent)
        elif not self._straight:
            self._wait_for_kafka()
        self._reachable = True

    @contextmanager
    def _closed_gate(self) -> Iterator[None]:
        """Let new events wait, once those that are being appended are on the disk."""
        with self._gate:
            with self._appended:
                self._appended.wait_for(lambda: not self._appending)
            yield

    def _oldest(self) -> tuple[Segment | None, list[Record]]:
        """The oldest segment that can be read, if there is one, and what it holds."""
        while (segment := self._spool.oldest()) is not None:
            try:
                records, damaged_bytes = self._spool.read(segment)
            except OSError as error:
                if error.errno not in _LOST:
                    raise
                metrics.SPOOL_DAMAGED_BYTES.inc(segment.bytes)
                logger.error("lost: %s cannot be read and is passed over: %s", segment.path, error.strerror)
                self._spool.give_up(segment)
                self._measure()
                continue
            if damaged_bytes:
                metrics.SPOOL_DAMAGED_BYTES.inc(damaged_bytes)
                logger.error("%s: %d bytes are no whole event and are passed over", segment.path, damaged_bytes)
            return segment, records
        return None, []

    def _produce(self, records: list[Record]) -> list[Delivery]:
        """Send what a segment holds, up to an event that is known to have failed: none of the others overtakes it."""
        sent: list[Delivery] = []
        for record in records:
            # What is still on its way from before is not sent twice.
            doubtful = self._in_doubt.pop(record.event_id, None)
            sent.append(doubtful or self._try(record))
            if sent[-1].error is not None:
                break
        return sent

    def _arrive_in_time(self, sent: list[Delivery]) -> bool:
        until = time.monotonic() + self._timeout
        return all(delivery.is_acknowledged(max(0.0, until - time.monotonic())) for delivery in sent)

    def _settle(self, segment: Segment, records: list[Record], sent: list[Delivery]) -> None:
        """Wait until Kafka has all of a segment, but for what it refuses for good, and remove it."""
        arrived = [self._arrives(delivery) for delivery in sent]
        for record, has_arrived in zip_longest(records, arrived):
            if not has_arrived:
                self._send_alone(record)
        self._spool.remove(segment)
        self._measure()
        if not self._spool.segments:
            logger.info("the spool has been sent")

    def _send_alone(self, record: Record) -> None:
        """Send an event until Kafka has it, or refuses it for good.

        Alone, because an error may be its batch's: several events can be too large together.
        """
        doubtful = self._in_doubt.pop(record.event_id, None)
        if doubtful is not None and self._arrives(doubtful):
            return
        while not self._arrives(delivery := self._try(record)):
            if delivery.is_refused_for_good:
                self._set_aside(record, delivery)
                break
            logger.error("retrying: event %s: %s", record.event_id, delivery.error)
            self._wait_for_kafka()

    def _set_aside(self, record: Record, delivery: Delivery) -> None:
        """Keep an event beside the spool, once the disk takes it; until then nothing behind it is sent either."""
        while True:
            try:
                kept = self._spool.set_aside(record)
                break
            except OSError as error:
                logger.error("refused: event %s, which the disk does not take: %s", record.event_id, error)
                self._pause()
        metrics.AUDIT_REFUSED.inc()
        logger.error("refused: event %s, for good: %s; it is kept in %s", record.event_id, delivery.error, kept)

    def _arrives(self, delivery: Delivery) -> bool:
        while not delivery.is_reported:
            self._check_end()
            delivery.is_acknowledged(_WATCH_SECONDS)
        return delivery.is_acknowledged(0)

    def _wait_for_kafka(self) -> None:
        self._reachable = False
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


def _count_failure(error: KafkaError | None, _message: Message | None) -> None:
    if error is not None:
        metrics.AUDIT_DROPPED.inc()
        logger.error("dropped: an event that Kafka does not take: %s", error)


_lock = threading.Lock()


@cache
def _start(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # the key of the cache
    kafka: KafkaSettings, topic: str, mode: AuditMode, timeout: float, spool_dir: Path, spool_bytes: int, workers: int
) -> AuditTrail:
    return AuditTrail(EventProducer(kafka, topic), Spool.claim(spool_dir, spool_bytes, workers), mode, timeout)


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
            gateway.workers,
        )
