"""Delivery of audit events: each is acknowledged by Kafka, or on this machine's disk, before the answer leaves."""

import logging
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaError, Message
from django.conf import settings

from contracts.query_event.event import AuditEvent, encode, headers
from gateway.audit import metrics
from gateway.audit.producer import EventProducer, KafkaEventProducer
from gateway.audit.route import Route, State
from gateway.audit.settings import AuditMode
from gateway.audit.spool import Spool, SpoolFull
from gateway.audit.spool_format import Record
from gateway.audit.spool_sender import InDoubt, SpoolSender, attempt, send
from gateway.http.per_process import PerProcess
from gateway.http.problems import Code, Unavailable
from kit.kafka import KafkaSettings
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())


class EventDelivery:  # pylint: disable=too-many-instance-attributes  # its parts
    """Delivers the events of this process to Kafka, directly or through the spool.

    Events go directly while Kafka acknowledges them in time. The first that it does not goes to the spool, and so do
    all after it, until the spool has been sent: one user's events stay in their order. See ``gateway.audit.route``.
    Two threads live until the process ends: one collects delivery reports, one sends the spool.

    Args:
        producer: the way to Kafka.
        spool: the way to the disk; what is in it is sent first.
        mode: whether an event is waited for.
        timeout: seconds that Kafka has to acknowledge an event before the spool takes it.
        is_ending: whether the process is on its way out; asked wherever the sender waits.

    Attributes:
        sender: what sends the spool.
    """

    def __init__(  # pylint: disable=too-many-arguments  # its parts
        self,
        producer: EventProducer,
        spool: Spool,
        mode: AuditMode,
        timeout: float,
        *,
        is_ending: Callable[[], bool] | None = None,
    ) -> None:
        self._producer = producer
        self._spool = spool
        self._mode = mode
        self._timeout = timeout
        self._route = Route(State.SPOOLING if spool.segments else State.DIRECT)
        self._in_doubt = InDoubt()
        self.sender = SpoolSender(
            producer, spool, self._route, self._in_doubt, timeout=timeout, is_ending=is_ending or _process_is_ending
        )
        self._ended = threading.Event()

    def start(self) -> Self:
        """Start both threads; they are no daemons: the interpreter waits for them, so that what can be sent is sent."""
        threading.Thread(target=self._collect_reports, name="audit-reports").start()
        threading.Thread(target=self._send_spool, name="audit-spool").start()
        return self

    @property
    def state(self) -> State:
        """State of the route of events."""
        return self._route.state

    @property
    def spool(self) -> Spool:
        """Events that wait on the disk."""
        return self._spool

    @property
    def has_room(self) -> bool:
        """Whether an event that Kafka does not take now can be kept, however large it is, or need not be.

        A disk that has refused an event counts as full until it takes one, or until Kafka takes them again.
        """
        if self._mode is AuditMode.ASYNC:
            return True
        return self._spool.has_room and (self.state is State.DIRECT or self._spool.is_writable())

    def record(self, event: AuditEvent, traceparent: str | None) -> None:
        """Put an event on the trail and, in the mode ``durable``, wait until it is safe.

        An event that is not safe in time may still arrive: the trail can hold an event of a request that was answered
        with 503, never the other way round.

        Raises:
            Unavailable: neither Kafka nor the disk has taken the event.
        """
        record = Record(event.event_id, event.user_id, encode(event), headers(event, traceparent))
        if self._mode is AuditMode.ASYNC:
            send(self._producer, record, _count_failure)
            return
        delivery = None
        with self._route.gate():
            if self._route.state is State.DIRECT:
                delivery = attempt(self._producer, record)
            else:
                self._route.begin_append()
        if delivery is not None:
            if delivery.is_acknowledged(self._timeout):
                return
            with self._route.gate():
                self._in_doubt.add(record, delivery)
                if self._route.begin_append():
                    reason = delivery.error or f"no acknowledgement within {self._timeout:g} s"
                    logger.error("Kafka does not take events: %s; they go to the spool", reason)
        self._append(record)

    def probe(self, timeout: float) -> None:
        """Ask Kafka for the topic; see ``KafkaEventProducer.probe``."""
        self._producer.probe(timeout)

    def _append(self, record: Record) -> None:
        try:
            self._spool.append(record)
        except (SpoolFull, OSError) as error:
            self._in_doubt.take(record)
            logger.error("event %s is not recorded: %s", record.event_id, error)
            raise Unavailable(
                Code.AUDIT_UNAVAILABLE, "The audit trail cannot be written, so nothing is answered; try again."
            ) from None
        finally:
            self._route.end_append()
            self.sender.wake()
        metrics.SPOOLED.inc()
        self.sender.measure()

    def _collect_reports(self) -> None:
        while not self._ended.is_set():
            self._producer.collect_reports()

    def _send_spool(self) -> None:
        self.sender.run()
        if self._mode is AuditMode.ASYNC and (lost := self._producer.pending):
            metrics.AUDIT_DROPPED.inc(lost)
            logger.error("%d events are lost: Kafka has not acknowledged them", lost)
        self._ended.set()


def _process_is_ending() -> bool:
    return not threading.main_thread().is_alive()


def _count_failure(error: KafkaError | None, _message: Message | None) -> None:
    if error is not None:
        metrics.AUDIT_DROPPED.inc()
        logger.error("dropped: an event that Kafka does not take: %s", error)


def _start(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # its parts
    kafka: KafkaSettings, topic: str, mode: AuditMode, timeout: float, spool_dir: Path, spool_bytes: int, workers: int
) -> EventDelivery:
    """Start the delivery of this process.

    Raises:
        OSError: there can be no spool.
    """
    spool = Spool.claim(spool_dir, spool_bytes, workers)
    return EventDelivery(KafkaEventProducer(kafka, topic), spool, mode, timeout).start()


def _settings() -> tuple[Hashable, ...]:
    gateway = settings.GATEWAY
    return (
        settings.KAFKA,
        settings.AUDIT.topic,
        gateway.audit_mode,
        gateway.audit_timeout,
        gateway.spool_dir,
        gateway.spool_bytes,
        gateway.workers,
    )


event_delivery = PerProcess(_start, _settings)
