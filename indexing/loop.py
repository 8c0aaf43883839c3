"""The sink's loop: read, batch, write, settle, commit; one thread decides everything, others only wait for answers."""

import logging
import queue
import threading
import time
from functools import partial
from random import Random

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message
from elasticsearch import Elasticsearch

from audit_sink.document import bulk_lines
from audit_sink.settings import SinkSettings
from contracts.query_event.reader import InvalidEvent, decode
from contracts.query_event.topics import TopicSettings
from indexing.batch import Batch, BatchBuilder, DeadLetter, Write
from indexing.breaker import DeadLetterBreaker
from indexing.bulk_writer import BulkWriter
from indexing.dead_letter_queue import DeadLetterQueue
from indexing.group import Group
from indexing.metrics import CONSUMED, DUPLICATES, INDEXED, OLDEST_UNSETTLED_SECONDS, RETRIES
from indexing.offsets import OffsetTracker
from indexing.outcomes import Failure, Outcome
from indexing.readiness import unready
from indexing.retry_queue import RetryQueue
from indexing.verdict import Item, judge
from kit.kafka import KafkaSettings

logger = logging.getLogger(__name__)

_READ_RECORDS = 500
_FIRST_GUESS_BYTES = 64 * 1024
_READ_SECONDS = 0.1
_PAUSE_AFTER_SECONDS = 1.0
_GAUGES_EVERY_SECONDS = 1.0
_PROBE_SECONDS = 2.0
_WAIT_SECONDS = 1.0

DRAIN_SECONDS = 5.0
"""How long a rebalance or the end of the process waits for what is in flight."""


class Sink:  # pylint: disable=too-many-instance-attributes  # all parts meet here
    """Moves events from the topic into Elasticsearch until it is stopped.

    Args:
        kafka: how the cluster is reached.
        topics: what is read, and where dead letters go.
        settings: batches and the group.
        client: Elasticsearch, without retries of its own.
    """

    def __init__(
        self, kafka: KafkaSettings, topics: TopicSettings, settings: SinkSettings, client: Elasticsearch
    ) -> None:
        self.stopping = threading.Event()
        self.last_turn = time.monotonic()
        self.trouble: str | None = None
        self._client = client
        self._index_prefix = settings.index_prefix
        self._tracker = OffsetTracker()
        self._builder = BatchBuilder(settings.batch_size, settings.batch_bytes, settings.linger_ms / 1000)
        self._breaker = DeadLetterBreaker(settings.dead_letter_ratio)
        self._writer = BulkWriter(client, settings.in_flight)
        self._letters = DeadLetterQueue(kafka, topics.dlq_topic)
        self._group = Group(kafka, topics.topic, settings.group_id, self._tracker, self._on_leave)
        # One more than is in flight, so that a writer never waits for the next batch to be made.
        self._max_open = settings.in_flight + 1
        self._open: set[Batch] = set()
        self._retries: RetryQueue[Write] = RetryQueue(Random())
        self._troubles: dict[Batch, tuple[str, str]] = {}
        self._record_bytes = _FIRST_GUESS_BYTES
        self._has_arrival_times = True
        self._blocked_since: float | None = None
        self._next_gauges = 0.0

    def run(self) -> None:
        """Work until ``stopping`` is set; then settle what is in flight, commit it and leave the group.

        Raises:
            confluent_kafka.KafkaException: the client is beyond recovery.
        """
        self._wait_until_all_is_up()
        self._group.join()
        try:
            while not self.stopping.is_set():
                self._turn()
            logger.info("stopping: settling what is in flight")
            self._drain()
            self._group.commit(wait=True)
        finally:
            self._group.leave()

    def dependencies(self) -> dict[str, str | None]:
        """What is wrong with each thing that the sink needs, None for nothing; from any thread, within seconds."""
        return {
            "elasticsearch": self.trouble or unready(self._client, self._index_prefix),
            "kafka": self._letters.trouble
            or self._group.probe(_PROBE_SECONDS)
            or (None if self._group.has_joined else "the sink has not joined its group yet"),
        }

    def _wait_until_all_is_up(self) -> None:
        """Wait, without joining the group, until the topic and the index template are there."""
        said: set[str] = set()
        while not self.stopping.is_set():
            self.last_turn = time.monotonic()
            missing = {
                "Kafka": self._group.probe(_PROBE_SECONDS),
                "Elasticsearch": unready(self._client, self._index_prefix),
            }
            for name, reason in missing.items():
                if reason is not None and name not in said:
                    said.add(name)
                    logger.warning("waiting for %s: %s", name, reason)
            if not any(missing.values()):
                return
            self.stopping.wait(_WAIT_SECONDS)

    def _turn(self) -> None:
        self.last_turn = time.monotonic()
        self._take_in(0)
        self._submit_due()
        if len(self._open) < self._max_open:
            self._unblock()
            self._read()
        else:
            self._wait_for_room()
        self._group.commit()
        self._group.watch_topic()
        self._update_gauges()

    def _read(self) -> None:
        now = time.monotonic()
        wait = self._builder.seconds_until_due(now)
        # No more than fits, as far as the last records tell: what is read is held in memory, full batch or not.
        wanted = min(_READ_RECORDS, self._builder.room, 1 + self._builder.room_bytes // self._record_bytes)
        records = self._group.read(wanted, _READ_SECONDS if wait is None else min(_READ_SECONDS, wait))
        if records:
            self._record_bytes = 1 + sum(map(len, records)) // len(records)
        self._add(records)
        if self._builder.seconds_until_due(time.monotonic()) == 0:
            self._seal()

    def _add(self, records: list[Message]) -> None:
        now = time.monotonic()
        builder, prefix, is_assigned = self._builder, self._index_prefix, self._tracker.is_assigned
        CONSUMED.inc(len(records))
        if self._has_arrival_times and records and records[0].timestamp()[0] != TIMESTAMP_LOG_APPEND_TIME:
            self._has_arrival_times = False
            logger.error("the topic takes producers' word for the time: set its message.timestamp.type=LogAppendTime")
        for record in records:
            partition, offset, timestamp_ms = record.partition(), record.offset(), record.timestamp()[1]
            assert partition is not None and offset is not None  # only events of the client itself have none
            if not is_assigned(partition):  # read before a rebalance took it away; its new owner reads it again
                continue
            try:
                lines = bulk_lines(decode(record.value()), partition, offset, timestamp_ms, prefix)
            except InvalidEvent as error:
                letter = DeadLetter(record, error.reason, error.detail)
                builder.reject(letter, (partition, offset, timestamp_ms), now)
            else:
                builder.add(record, lines, (partition, offset, timestamp_ms), now)
            if builder.is_full:
                self._seal()

    def _seal(self) -> None:
        write = self._builder.seal(self._tracker)
        self._open.add(write.batch)
        self._writer.submit(write)

    def _wait_for_room(self) -> None:
        """Wait for a batch to be settled; if that takes long, pause, and keep serving the group."""
        now = time.monotonic()
        if self._blocked_since is None:
            self._blocked_since = now
        elif now - self._blocked_since >= _PAUSE_AFTER_SECONDS and not self._group.is_paused:
            self._group.pause()
        if self._group.is_paused:
            self._add(self._group.read(_READ_RECORDS, 0))
        self._take_in(_READ_SECONDS)

    def _unblock(self) -> None:
        self._blocked_since = None
        if self._group.is_paused:
            self._group.resume()

    def _take_in(self, timeout: float) -> None:
        """Take in answers and acknowledgements: wait for the first answer up to ``timeout`` seconds."""
        self._letters.serve()
        try:
            write, answer = self._writer.answers.get(timeout=timeout) if timeout else self._writer.answers.get_nowait()
            while True:
                self._on_answer(write, answer)
                write, answer = self._writer.answers.get_nowait()
        except queue.Empty:
            pass

    def _on_answer(self, write: Write, answer: list[Item] | Failure) -> None:
        if isinstance(answer, Failure):
            if answer.outcome is not Outcome.SPLIT:
                self._retry(write.part(list(range(len(write.lines))), write.letters), answer.cause)
                self._stalls(write.batch, answer.cause, answer.detail)
                return
            if len(write.lines) > 1:
                self._split(write, answer.cause)
                return
            answer = [(413, {"type": "too_large", "reason": f"{answer.detail} for this event alone"})]
        verdict = judge(write, answer, self._breaker)
        INDEXED.inc(verdict.indexed)
        DUPLICATES.inc(verdict.duplicates)
        write.batch.open += len(verdict.letters) - 1
        if verdict.letters:
            first = verdict.letters[0]
            logger.warning(
                "%d dead letters, the first from partition %s, offset %s: %s",
                len(verdict.letters),
                first.record.partition(),
                first.record.offset(),
                first.summary,
            )
        for letter in verdict.letters:
            self._letters.send(letter, partial(self._on_letter_sent, write.batch))
        if verdict.retry is not None:
            write.batch.open += 1
            self._retry(verdict.retry, verdict.cause or "unknown")
        if verdict.stall is not None:
            self._stalls(write.batch, verdict.cause or "unknown", verdict.stall)
        self._settle_if_done(write.batch)

    def _split(self, write: Write, cause: str) -> None:
        RETRIES.labels(cause).inc()
        write.batch.open += 1
        for half in write.halves():
            self._writer.submit(half)

    def _on_letter_sent(self, batch: Batch) -> None:
        batch.open -= 1
        self._settle_if_done(batch)

    def _settle_if_done(self, batch: Batch) -> None:
        if batch.open == 0:
            self._open.discard(batch)
            self._recovers(batch)
            for span in batch.spans:
                self._tracker.settle(span)

    def _retry(self, write: Write, cause: str) -> None:
        RETRIES.labels(cause).inc()
        self._retries.put(write, write.attempt, time.monotonic())

    def _submit_due(self) -> None:
        for write in self._retries.take_due(time.monotonic()):
            self._writer.submit(write)

    def _stalls(self, batch: Batch, cause: str, detail: str) -> None:
        if cause not in (known for known, _ in self._troubles.values()):
            logger.error("a batch is not indexed, and nothing lost, until this is mended: %s", detail)
        self._troubles[batch] = (cause, detail)
        self.trouble = detail

    def _recovers(self, batch: Batch) -> None:
        """Forget what a batch had to wait for, now that it is settled; others may still wait."""
        if self._troubles.pop(batch, None) is not None:
            self.trouble = next((detail for _, detail in self._troubles.values()), None)
            if self.trouble is None:
                logger.info("Elasticsearch takes events again")

    def _on_leave(self, orderly: bool) -> None:
        """Partitions are about to leave: in an orderly way, what is in flight is settled first, within a bound.

        At the end of the process that has been done already.
        """
        if orderly and not self.stopping.is_set():
            self._drain()
        elif len(self._builder):
            self._seal()

    def _drain(self) -> None:
        if len(self._builder):
            self._seal()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._open and time.monotonic() < deadline:
            self._take_in(0.05)
            self._submit_due()

    def _update_gauges(self) -> None:
        now = time.monotonic()
        if now < self._next_gauges:
            return
        self._next_gauges = now + _GAUGES_EVERY_SECONDS
        self._group.update_metrics()
        oldest_ms = min((batch.oldest_ms for batch in self._open), default=None)
        OLDEST_UNSETTLED_SECONDS.set(0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000))
