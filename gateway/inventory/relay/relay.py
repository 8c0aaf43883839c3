"""The relay: one of the workers leads, and publishes what is written."""

import logging
import threading
import time
from random import Random

from confluent_kafka import KafkaException
from django.db import DatabaseError, connection
from elasticsearch import ApiError, TransportError

from gateway.inventory import metrics
from gateway.inventory.cache import keep_published
from gateway.inventory.indices import Indices, Renamed, Unprepared
from gateway.inventory.models import RelayState
from gateway.inventory.relay import outbox
from gateway.inventory.relay.composition import Composed, ComposedBatch, read_batch
from gateway.inventory.relay.lease import Lease, Superseded
from gateway.inventory.relay.outbox import Published
from gateway.inventory.relay.publisher import Publisher
from gateway.inventory.relay.topic import TopicWatch, adopt, contradiction
from indexing.backoff import full_jitter
from kit.logs import OncePerInterval, describe

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_BUSY_SECONDS = 0.02
_IDLE_SECONDS = 0.2
_BUSY_FOR_SECONDS = 2.0
"""For so long after a change the next one is expected soon."""
_STANDBY_SECONDS = 1.0
_STOPPED_SECONDS = 1.0
_LOOK_EVERY_SECONDS = 2.0


class Relay:  # pylint: disable=too-many-instance-attributes  # its parts, and what it knows of them
    """Publishes changes for as long as it leads.

    Args:
        lease: says whether it leads.
        watch: looks at the topic.
        publisher: the way to Kafka.
        indices: makes an index before the first change names it.
        topic: name of the topic.
    """

    def __init__(self, lease: Lease, watch: TopicWatch, publisher: Publisher, indices: Indices, topic: str) -> None:
        self.trouble: str | None = None
        self.last_turn = time.monotonic()
        self._lease = lease
        self._watch = watch
        self._publisher = publisher
        self._indices = indices
        self._topic = topic
        self._is_verified = False
        self._next_look = 0.0
        self._last_change = 0.0
        self._failures = 0

    @property
    def is_leader(self) -> bool:
        """Whether it leads, be Kafka there or not."""
        return self._lease.is_held

    @property
    def leads(self) -> bool:
        """Whether it leads, and may publish."""
        return self._lease.is_held and self._is_verified

    def run(self, stopping: threading.Event) -> None:
        """Work until ``stopping`` is set; then give the lease back."""
        random = Random()
        while not stopping.is_set():
            self.last_turn = time.monotonic()
            try:
                pause = self.turn()
                self._failures = 0
            except Superseded:
                logger.warning("another worker leads; standing by")
                pause = _STANDBY_SECONDS
            except (DatabaseError, KafkaException, ApiError, TransportError, Unprepared) as error:
                self._failed(error)
                pause = full_jitter(self._failures, random)
            metrics.RELAY_LEADS.set(self._lease.is_held)
            stopping.wait(pause)
        try:
            self._lease.release()
        except DatabaseError:
            logger.warning("the lease is left to end by itself")

    def turn(self) -> float:
        """Do one round; the seconds to wait before the next."""
        if not self._lease.is_held:
            self._is_verified = False
            if not self._lease.acquire():
                self.trouble = None
                return _STANDBY_SECONDS
            logger.info("this worker leads")
        self._lease.renew()
        if not self._verify():
            return _STOPPED_SECONDS
        if not outbox.is_waiting():
            self.trouble = None
            return _BUSY_SECONDS if time.monotonic() - self._last_change < _BUSY_FOR_SECONDS else _IDLE_SECONDS
        numbered = outbox.number(self._lease)
        published = self._publish()
        self.trouble = None
        self._last_change = time.monotonic()
        return 0.0 if published >= outbox.BATCH or numbered >= outbox.BATCH else _BUSY_SECONDS

    def _publish(self) -> int:
        batch = read_batch(outbox.BATCH)
        if not batch.messages:
            return 0
        messages = self._prepared(batch)
        if not messages:
            return 0
        # A leader that was paused until now finds out here, before it sends anything.
        self._lease.hold()
        places = self._publisher.publish(messages, outbox.highest_feed())
        keep_published(message.change for message in messages)
        outbox.move_cursor(
            self._lease,
            [Published(message.change.feed or 0, *place) for message, place in zip(messages, places, strict=True)],
        )
        metrics.RELAY_PUBLISHED.inc(len(places))
        return len(places)

    def _prepared(self, batch: ComposedBatch) -> list[Composed]:
        """The messages before the first whose indices cannot be prepared: the indexer would wait for these for ever.

        None where the first names an index that another takes the place of: it is to be read again.

        Raises:
            Unprepared: that is the first of all.
        """
        unprepared = self._indices.ensure(batch.types)
        for number, message in enumerate(batch.messages):
            for document in message.change.documents:
                if document.index in unprepared:
                    error = unprepared[document.index]
                    if number == 0 and not isinstance(error, Renamed):
                        raise error
                    return batch.messages[:number]
        return batch.messages

    def _verify(self) -> bool:
        """Look whether the topic is the one that went before; wholly at first, and at its id from time to time."""
        now = time.monotonic()
        if self._is_verified and now < self._next_look:
            return True
        state = RelayState.objects.get(pk=1)
        if not self._is_verified or state.topic_id != self._watch.topic_id():
            view = self._watch.look()
            wrong = contradiction(state, view, self._topic)
            metrics.RELAY_STOPPED.set(wrong is not None)
            self._is_verified = wrong is None
            if wrong is not None:
                self.trouble = wrong
                logger.error("stopped: %s", wrong)
                return False
            adopt(self._lease, view)
        self._next_look = now + _LOOK_EVERY_SECONDS
        return True

    def _failed(self, error: Exception) -> None:
        metrics.RELAY_FAILURES.inc()
        self._failures += 1
        self.trouble = str(error.args[0]) if isinstance(error, KafkaException | Unprepared) else describe(error)
        logger.error("changes are not published, and nothing lost, until this is mended: %s", self.trouble)
        # The connection may be another one from now on, to another server.
        self._is_verified = False
        if isinstance(error, DatabaseError):
            self._lease.drop()
            connection.close()
