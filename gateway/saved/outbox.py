"""Outbox of events: written in the transaction of what they tell of, and sent to the audit trail by the worker.

A row is deleted once Kafka has acknowledged its event. A worker that is killed before that sends the event again, with
the same id, which the audit trail takes once.

Why not the inventory's outbox: its rows are versions of documents, numbered for those who follow them and published as
changes. Nobody follows these, so they need no numbers, and a transaction that commits late is not skipped.
"""

import logging
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from django.conf import settings
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from contracts.query_event.event import AuditEvent, encode, headers
from gateway.inventory.relay.producer import WorkerProducer
from gateway.inventory.turns import take_turns
from gateway.saved import metrics
from gateway.saved.models import OutboxEvent
from kit import tracing
from kit.kafka import NewRecord
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

BATCH = 200
_IDLE_SECONDS = 0.5
_read = msgspec.json.Decoder(AuditEvent).decode


def put(event: AuditEvent) -> None:
    """Record an event in the transaction of the caller: rolled back, it was never there."""
    OutboxEvent.objects.create(id=uuid.UUID(event.event_id), event=encode(event).decode(), at=datetime.now(UTC))


def run(stopping: threading.Event, leads: Callable[[], bool]) -> None:
    """Send events until ``stopping`` is set, while this worker leads."""
    producer = WorkerProducer(settings.KAFKA)
    take_turns(
        lambda: send(producer, settings.AUDIT.topic) == BATCH,
        stopping,
        leads,
        logger=logger,
        trouble="events of saved searches are not sent, and none is lost, until this is mended",
        idle=_IDLE_SECONDS,
    )


def send(producer: WorkerProducer, topic: str) -> int:
    """Send what waits, the oldest first, ``BATCH`` events at most; how many these were.

    Raises:
        KafkaException: Kafka has not acknowledged all of them; all are sent again.
    """
    rows = list(OutboxEvent.objects.order_by("pk")[:BATCH])
    if not rows:
        return 0
    with tracing.span(f"send {topic}", SpanKind.PRODUCER, parent=Context()):
        producer.send([_record(row, topic) for row in rows])
    OutboxEvent.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def measure(now: datetime) -> None:
    """Set the gauge of what waits."""
    oldest = OutboxEvent.objects.order_by("pk").values_list("at", flat=True).first()
    metrics.UNSENT_SECONDS.set(0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()))


def _record(row: OutboxEvent, topic: str) -> NewRecord:
    event = _read(row.event)
    return NewRecord(topic, row.event.encode(), event.user_id, tuple(headers(event, None)))
