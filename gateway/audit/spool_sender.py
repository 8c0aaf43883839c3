"""Sender of the spool: one thread that brings spooled events to Kafka, in their order."""

import errno
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import zip_longest

from confluent_kafka import KafkaError, KafkaException

from gateway.audit import metrics
from gateway.audit.producer import Delivery, EventProducer, Report
from gateway.audit.route import Route, State
from gateway.audit.spool import Segment, Spool
from gateway.audit.spool_format import Record
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_WATCH_SECONDS = 0.2
_RETRY_SECONDS = 1.0
_DRAIN_SECONDS = 5.0
_LOST = frozenset({errno.EIO, errno.EBADMSG, errno.ENOENT})
"""Errors of a bad disk, a bad file system, or a file that is gone; any other may pass."""


class Stopped(Exception):
    """The process ends; what is left stays in the spool."""


class InDoubt:
    """Deliveries that were not waited for any longer: their events are in the spool as well."""

    def __init__(self) -> None:
        self._deliveries: dict[str, Delivery] = {}

    def add(self, record: Record, delivery: Delivery) -> None:
        """Keep a delivery, so that its event is not sent twice while it may still arrive."""
        self._deliveries[record.event_id] = delivery

    def take(self, record: Record) -> Delivery | None:
        """Remove and return the delivery of an event, if there is one."""
        return self._deliveries.pop(record.event_id, None)


def send(producer: EventProducer, record: Record, report: Report) -> None:
    """Send an event; one that is refused at once is reported at once."""
    try:
        producer.produce(record, report)
    except KafkaException as error:
        report(error.args[0], None)
    except BufferError:
        report(KafkaError(KafkaError._QUEUE_FULL), None)  # pylint: disable=protected-access  # it is public


def attempt(producer: EventProducer, record: Record) -> Delivery:
    """Send an event, and follow its delivery."""
    delivery = Delivery()
    send(producer, record, delivery.report)
    return delivery


class SpoolSender:  # pylint: disable=too-many-instance-attributes  # its parts, and when it has to end
    """Sends segments from the oldest on, and lets events go to Kafka directly again once none is left.

    An event that Kafka refuses for good is kept beside the spool, so that those behind it pass.

    Args:
        producer: the way to Kafka.
        spool: what is sent.
        route: told when Kafka answers, and when the spool has been sent.
        in_doubt: deliveries that may still arrive.
        timeout: seconds that Kafka has to acknowledge the rest of the spool while new events wait.
        is_ending: whether the process is on its way out; asked wherever the sender waits.
    """

    def __init__(  # pylint: disable=too-many-arguments  # its parts
        self,
        producer: EventProducer,
        spool: Spool,
        route: Route,
        in_doubt: InDoubt,
        *,
        timeout: float,
        is_ending: Callable[[], bool],
    ) -> None:
        self._producer = producer
        self._spool = spool
        self._route = route
        self._in_doubt = in_doubt
        self._timeout = timeout
        self._is_ending = is_ending
        self._wake = threading.Event()
        self._drain_until: float | None = None
        self.measure()

    def wake(self) -> None:
        """Let the sender look at the spool now."""
        self._wake.set()

    def measure(self) -> None:
        """Set the gauges of what waits."""
        metrics.SPOOL_RECORDS.set(self._spool.records)
        metrics.SPOOL_BYTES.set(self._spool.bytes)

    def run(self) -> None:
        """Send until the process ends; ``Stopped`` never leaves it."""
        with suppress(Stopped):
            while True:
                self._check_end()
                try:
                    self.step()
                except OSError as error:
                    logger.error("the spool cannot be read: %s", error)
                    self._pause()

    def step(self) -> None:
        """Send the oldest segment, hand over if little is left, or wait a moment if there is nothing to do.

        Raises:
            OSError: the spool cannot be read.
            Stopped: the process ends.
        """
        if self._route.state is State.DIRECT and not self._spool.segments:
            self._wake.wait(_WATCH_SECONDS)
            self._wake.clear()
        elif self._route.state is State.SENDING and self._spool.segments <= 1:
            self._hand_over()
        else:
            segment, records = self._oldest()
            if segment is None:
                self._wait_for_kafka()
            else:
                self._settle(segment, records, self._produce(records))
            self._route.kafka_answers()

    def _hand_over(self) -> None:
        """Send the rest while new events wait; if it does not arrive in time, they go to the spool again."""
        with self._route.handing_over() as handover:
            segment, records = self._oldest()
            sent = self._produce(records)
            until = time.monotonic() + self._timeout
            handover.has_arrived = all(
                delivery.is_acknowledged(max(0.0, until - time.monotonic())) for delivery in sent
            )
        if segment is not None:
            self._settle(segment, records, sent)
        self._route.kafka_answers()

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
                self.measure()
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
            # An event that is still on its way from before is not sent twice.
            sent.append(self._in_doubt.take(record) or attempt(self._producer, record))
            if sent[-1].error is not None:
                break
        return sent

    def _settle(self, segment: Segment, records: list[Record], sent: list[Delivery]) -> None:
        """Wait until Kafka has all of a segment, except what it refuses for good, and remove it."""
        arrived = [self._arrives(delivery) for delivery in sent]
        for record, has_arrived in zip_longest(records, arrived):
            if not has_arrived:
                self._send_alone(record)
        self._spool.remove(segment)
        self.measure()
        if not self._spool.segments:
            logger.info("the spool has been sent")

    def _send_alone(self, record: Record) -> None:
        """Send an event until Kafka has it, or refuses it for good.

        Alone, because an error may be its batch's: several events can be too large together.
        """
        doubtful = self._in_doubt.take(record)
        if doubtful is not None and self._arrives(doubtful):
            return
        while not self._arrives(delivery := attempt(self._producer, record)):
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
        self._route.kafka_fails()
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
        """Raise Stopped once the process is on its way out and nothing more is, or can be, sent."""
        if not self._is_ending():
            return
        self._drain_until = self._drain_until or time.monotonic() + _DRAIN_SECONDS
        is_done = not self._spool.segments and not self._producer.pending
        is_hopeless = self._route.state is State.SPOOLING
        if is_done or is_hopeless or time.monotonic() > self._drain_until:
            raise Stopped
