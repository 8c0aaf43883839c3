"""Loop of a consumer: read, batch, write, settle, commit. One thread decides everything, others wait for answers."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from random import Random
from typing import Protocol

from confluent_kafka import Message

from elastic.exchange import ElasticsearchExchange
from indexing.batch import Batch, BatchBuilder, DeadLetter, Write
from indexing.breaker import DeadLetterBreaker
from indexing.bulk_writer import Answer
from indexing.group import OnLeave
from indexing.metrics import CONSUMED, DUPLICATES, INDEXED, OLDEST_UNSETTLED_SECONDS, RETRIES
from indexing.offsets import OffsetTracker
from indexing.outcomes import Failure, Outcome
from indexing.projection import Place, Projection, Unreadable
from indexing.retry_queue import RetryQueue
from indexing.settings import IndexingSettings
from indexing.verdict import judge

logger = logging.getLogger(__name__)

_READ_RECORDS = 500
_FIRST_GUESS_BYTES = 64 * 1024
_READ_SECONDS = 0.1
_LEAST_READ_SECONDS = 0.005
_PAUSE_AFTER_SECONDS = 1.0
_GAUGES_EVERY_SECONDS = 1.0
_PROBE_SECONDS = 2.0
_WAIT_SECONDS = 1.0

DRAIN_SECONDS = 5.0
"""Seconds that a rebalance or the end of the process waits for the batches in flight."""


class Group(Protocol):
    """Membership in a consumer group, as the loop uses it; ``indexing.group`` has the real one."""

    is_paused: bool
    has_joined: bool
    topic_id: str | None

    # pylint: disable=missing-function-docstring  # described where they are done
    def join(self, on_leave: OnLeave) -> None: ...
    def read(self, max_records: int, timeout: float) -> list[Message]: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def commit(self, *, wait: bool = False) -> None: ...
    def watch_topic(self) -> None: ...
    def leave(self) -> None: ...
    def settled_positions(self) -> Mapping[int, int]: ...
    def update_metrics(self) -> None: ...
    def probe(self, timeout: float) -> str | None: ...


class BulkWriter(Protocol):
    """Way to Elasticsearch, as the loop uses it; ``indexing.bulk_writer`` has the real one."""

    # pylint: disable=missing-function-docstring  # described where they are done
    def submit(self, write: Write) -> None: ...
    def answers(self, timeout: float) -> Iterable[tuple[Write, Answer]]: ...


class Progress(Protocol):  # pylint: disable=too-few-public-methods  # one thing to be told
    """Receiver of the settled positions, as the loop uses it."""

    def settled(self, topic_id: str, positions: Mapping[int, int]) -> None:
        """Take the offsets before which all is settled, by partition; called often, and must not wait."""


class DeadLetters(Protocol):
    """Way to the dead-letter topic, as the loop uses it; ``indexing.dead_letter_queue`` has the real one."""

    trouble: str | None

    # pylint: disable=missing-function-docstring  # described where they are done
    def send(self, letter: DeadLetter, on_acknowledged: Callable[[], None]) -> None: ...
    def serve(self) -> None: ...


class Loop:  # pylint: disable=too-many-instance-attributes  # all parts meet here
    """Moves records from a topic into Elasticsearch until it is stopped.

    Args:
        projection: what a record becomes.
        settings: batches, and when dead letters are too many.
        elasticsearch: for the question whether it is ready.
        tracker: the offsets; the group commits what it lets.
        group: the way from Kafka.
        writer: the way to Elasticsearch.
        letters: the way to the dead-letter topic.
        progress: is told of what is settled.
        clock: seconds of a steady clock.
        random: chooses how long a retry waits.
    """

    def __init__(  # pylint: disable=too-many-arguments  # as many parts as there are
        self,
        projection: Projection,
        settings: IndexingSettings,
        elasticsearch: ElasticsearchExchange,
        *,
        tracker: OffsetTracker,
        group: Group,
        writer: BulkWriter,
        letters: DeadLetters,
        progress: Progress | None = None,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self.stopping = threading.Event()
        self.last_turn = time.monotonic()
        self.trouble: str | None = None
        self._elasticsearch = elasticsearch
        self._projection = projection
        self._clock = clock
        self._tracker = tracker
        self._builder = BatchBuilder(settings.batch_size, settings.batch_bytes, settings.linger_ms / 1000)
        self._breaker = DeadLetterBreaker(settings.dead_letter_ratio)
        self._writer = writer
        self._letters = letters
        self._group = group
        self._progress = progress
        # A shorter batch is not to wait for a longer read.
        self._read_seconds = min(_READ_SECONDS, max(_LEAST_READ_SECONDS, settings.linger_ms / 1000))
        # One more than is in flight, so that a writer never waits for the next batch to be made.
        self._max_open = settings.in_flight + 1
        self._open: set[Batch] = set()
        self._retries: RetryQueue[Write] = RetryQueue(random or Random())
        self._troubles: dict[Batch, tuple[str, str]] = {}
        self._record_bytes = _FIRST_GUESS_BYTES
        self._blocked_since: float | None = None
        self._next_gauges = 0.0

    def run(self) -> None:
        """Work until ``stopping`` is set; then settle the requests in flight, commit and leave the group.

        Raises:
            confluent_kafka.KafkaException: the client is beyond recovery.
        """
        self._wait_until_all_is_up()
        self.join()
        try:
            while not self.stopping.is_set():
                self.turn()
            logger.info("stopping: settling what is in flight")
            self._drain()
            self._group.commit(wait=True)
            self._tell_progress()
        finally:
            self._group.leave()

    def join(self) -> None:
        """Join the group; partitions arrive while reading."""
        self._group.join(self._on_leave)

    def dependencies(self) -> dict[str, str | None]:
        """Reason why each dependency is not ready, or None; from any thread, within seconds."""
        return {
            "elasticsearch": self.trouble or self._projection.unready(self._elasticsearch),
            "kafka": self._letters.trouble
            or self._group.probe(_PROBE_SECONDS)
            or (None if self._group.has_joined else f"{self._projection.name} has not joined its group yet"),
        }

    def _wait_until_all_is_up(self) -> None:
        """Wait, without joining the group, until the topic is there and Elasticsearch is ready."""
        said: set[str] = set()
        while not self.stopping.is_set():
            self.last_turn = time.monotonic()
            missing = {
                "Kafka": self._group.probe(_PROBE_SECONDS),
                "Elasticsearch": self._projection.unready(self._elasticsearch),
            }
            for name, reason in missing.items():
                if reason is not None and name not in said:
                    said.add(name)
                    logger.warning("waiting for %s: %s", name, reason)
            if not any(missing.values()):
                return
            self.stopping.wait(_WAIT_SECONDS)

    def turn(self) -> None:
        """Do one round: take answers in, read or wait for room, commit."""
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
        self._tell_progress()
        self._update_gauges()

    def _read(self) -> None:
        now = self._clock()
        wait = self._builder.seconds_until_due(now)
        # No more than fits, as far as the last records tell: what is read is held in memory, full batch or not.
        wanted = min(_READ_RECORDS, self._builder.room, 1 + self._builder.room_bytes // self._record_bytes)
        records = self._group.read(wanted, self._read_seconds if wait is None else min(self._read_seconds, wait))
        if records:
            self._record_bytes = 1 + sum(map(len, records)) // len(records)
        self._add(records)
        if self._builder.seconds_until_due(self._clock()) == 0:
            self._seal()

    def _add(self, records: list[Message]) -> None:
        now = self._clock()
        builder, operations, is_assigned = self._builder, self._projection.operations, self._tracker.is_assigned
        CONSUMED.labels(self._projection.name).inc(len(records))
        for record in records:
            partition, offset = record.partition(), record.offset()
            assert partition is not None and offset is not None  # only events of the client itself have none
            if not is_assigned(partition):  # read before a rebalance took it away; its new owner reads it again
                continue
            place = Place(partition, offset, record.timestamp()[1])
            try:
                made = operations(record, place)
            except Unreadable as error:
                builder.reject(DeadLetter(record, error.reason, error.detail), place, now)
            else:
                builder.add(record, made, place, now)
            if builder.is_full:
                self._seal()

    def _seal(self) -> None:
        write = self._builder.seal(self._tracker)
        self._open.add(write.batch)
        self._writer.submit(write)

    def _wait_for_room(self) -> None:
        """Wait for a batch to be settled; if that takes long, pause, and keep serving the group."""
        now = self._clock()
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
        for write, answer in self._writer.answers(timeout):
            self._on_answer(write, answer)

    def _on_answer(self, write: Write, answer: Answer) -> None:
        if isinstance(answer, Failure):
            if answer.outcome is not Outcome.SPLIT:
                self._retry(write.part(list(range(len(write.operations))), write.letters), answer.cause)
                self._stalls(write.batch, answer.cause, answer.detail)
                return
            if len(write.operations) > 1:
                self._split(write, answer.cause)
                return
            answer = [(413, {"type": "too_large", "reason": f"{answer.detail} for this record alone"})]
        verdict = judge(write, answer, self._breaker)
        INDEXED.labels(self._projection.name).inc(verdict.indexed)
        DUPLICATES.labels(self._projection.name).inc(verdict.duplicates)
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
        RETRIES.labels(self._projection.name, cause).inc()
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
        RETRIES.labels(self._projection.name, cause).inc()
        self._retries.put(write, write.attempt, self._clock())

    def _submit_due(self) -> None:
        for write in self._retries.take_due(self._clock()):
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
                logger.info("Elasticsearch takes records again")

    def _on_leave(self, orderly: bool) -> None:
        """Settle the requests in flight, within a bound, before partitions leave in an orderly way.

        At the end of the process that has been done already.
        """
        if orderly and not self.stopping.is_set():
            self._drain()
        elif len(self._builder):
            self._seal()

    def _drain(self) -> None:
        if len(self._builder):
            self._seal()
        deadline = self._clock() + DRAIN_SECONDS
        while self._open and self._clock() < deadline:
            self._take_in(0.05)
            self._submit_due()

    def _tell_progress(self) -> None:
        if self._progress is not None and self._group.topic_id is not None:
            self._progress.settled(self._group.topic_id, self._group.settled_positions())

    def _update_gauges(self) -> None:
        now = self._clock()
        if now < self._next_gauges:
            return
        self._next_gauges = now + _GAUGES_EVERY_SECONDS
        self._group.update_metrics()
        oldest_ms = min((batch.oldest_ms for batch in self._open), default=None)
        OLDEST_UNSETTLED_SECONDS.labels(self._projection.name).set(
            0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)
        )
