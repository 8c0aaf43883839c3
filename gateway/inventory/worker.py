"""The worker: everything that runs behind requests, each part in a thread of its own."""

import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from socket import gethostname
from types import FrameType

from confluent_kafka import KafkaException
from django.conf import settings
from django.db import DatabaseError, connection
from elasticsearch import ApiError, Elasticsearch, TransportError

from elastic.client import connect
from gateway.inventory import metrics, retention
from gateway.inventory.indices import Indices, Renamed
from gateway.inventory.models import Change, RelayState
from gateway.inventory.rebuild import Rebuild, begin_lost, unfinished
from gateway.inventory.rejections import Rejections
from gateway.inventory.relay.composition import IndexedTypes
from gateway.inventory.relay.lease import Lease
from gateway.inventory.relay.producer import WorkerProducer
from gateway.inventory.relay.publisher import Publisher
from gateway.inventory.relay.relay import Relay
from gateway.inventory.relay.topic import TopicWatch
from gateway.inventory.repair import Interrupted, Repair
from gateway.inventory.turns import Part, keep_measuring, run_parts
from kit.health import serve_health
from kit.logs import OncePerInterval, describe

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_CLIENT_SECONDS = 30.0
_LOOK_SECONDS = 0.5
_LOOK_AT_INDICES_SECONDS = 10.0
_PAUSE_SECONDS = 2.0

FAILURES = (DatabaseError, KafkaException, ApiError, TransportError)
"""Failures of a server, after which everything is tried again."""


def make_publisher() -> Publisher:
    """A way of changes and their audit events to Kafka."""
    return Publisher(WorkerProducer(settings.KAFKA), settings.INVENTORY.topic, settings.AUDIT.topic)


def make_client() -> Elasticsearch:
    """A client of Elasticsearch for work that nobody waits for."""
    return connect(settings.ELASTICSEARCH, request_timeout=_CLIENT_SECONDS)


class Worker:  # pylint: disable=too-many-instance-attributes  # its parts
    """All that runs behind requests.

    Args:
        others: parts of the rooms above, by name.
    """

    def __init__(self, others: Mapping[str, Part]) -> None:
        self._others = others
        self.stopping = threading.Event()
        client = make_client()
        self._indices = Indices(client)
        self._repair = Repair(client, self._indices, make_publisher(), self.stopping)
        self._rebuild = Rebuild(self._indices, self._repair)
        self._relay = Relay(
            Lease(f"{gethostname()} {os.getpid()} {uuid.uuid4()}"),
            TopicWatch(settings.KAFKA, settings.INVENTORY.topic),
            make_publisher(),
            self._indices,
            settings.INVENTORY.topic,
        )
        self._rejections = Rejections(settings.KAFKA, settings.INVENTORY.dlq_topic, self._indices)
        self._next_look = 0.0

    @property
    def last_turn(self) -> float:
        """Time of the relay's last turn."""
        return self._relay.last_turn

    def dependencies(self) -> dict[str, str | None]:
        """Reason why the worker is not ready, or None."""
        return {"relay": self._relay.trouble}

    def run(self) -> None:
        """Work until SIGTERM or SIGINT.

        Raises:
            OSError: the address of health and metrics cannot be had.
            PartEnded: a part has failed.
        """
        configured = settings.GATEWAY
        serve_health(self, "worker", configured.worker_metrics_host, configured.worker_metrics_port)

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        parts: dict[str, Callable[[threading.Event], None]] = {
            "relay": self._relay.run,
            "rebuild": self._rebuild_all,
            "rejections": self._rejections.run,
            "retention": lambda stopping: retention.run(stopping, lambda: self._relay.leads),
            "measure": _measure,
            **{name: self._led(part) for name, part in self._others.items()},
        }
        run_parts(parts, self.stopping)

    def _led(self, part: Part) -> Callable[[threading.Event], None]:
        return lambda stopping: part(stopping, lambda: self._relay.is_leader)

    def _rebuild_all(self, stopping: threading.Event) -> None:
        """Carry rebuilds through, and remove what they have replaced, while the relay leads."""
        while not stopping.is_set():
            try:
                if self._relay.leads:
                    self._rebuild_once()
            except Interrupted:
                return
            except FAILURES as error:
                logger.error("indices are not made again until this is mended: %s", describe(error))
                connection.close()
                stopping.wait(_PAUSE_SECONDS)
            stopping.wait(_LOOK_SECONDS)

    def _rebuild_once(self) -> None:
        types = IndexedTypes.read()
        is_due = time.monotonic() >= self._next_look
        if is_due:
            self._next_look = time.monotonic() + _LOOK_AT_INDICES_SECONDS
            if lost := self._indices.lost(types):
                logger.error("Elasticsearch has lost the indices of %s: they are made again", ", ".join(lost))
                begin_lost(lost)
                types = IndexedTypes.read()
        unprepared = self._indices.ensure(types)
        for error in dict.fromkeys(unprepared.values()):
            if isinstance(error, Renamed):
                continue
            logger.error("what is written to this type is not published until this is mended: %s", error)
        building = [each for each in unfinished(types) if unprepared.keys().isdisjoint(each.names)]
        metrics.REBUILDS.set(len(building))
        if building:
            self._rebuild.finish(building[0])
        elif is_due:
            self._retire(types)

    def _retire(self, types: IndexedTypes) -> None:
        for each in types.indices.values():
            for index in self._indices.retire(each):
                logger.info("%s: removed, as %s is in its place", index, each.physical)


def _measure(stopping: threading.Event) -> None:
    trouble = "changes that wait for the relay are not counted"
    keep_measuring(_measure_once, stopping, logger=logger, trouble=trouble, seconds=_PAUSE_SECONDS)


def _measure_once() -> None:
    published = RelayState.objects.values_list("last_feed", flat=True).filter(pk=1).first() or 0
    waiting = Change.objects.filter(feed=None) | Change.objects.filter(feed__gt=published)
    oldest = waiting.order_by("sequence").values_list("at", flat=True).first()
    metrics.RELAY_UNPUBLISHED.set(waiting.count())
    age = 0.0 if oldest is None else (datetime.now(UTC) - oldest).total_seconds()
    metrics.RELAY_OLDEST_SECONDS.set(max(0.0, age))
