"""Loop of the writer: place partitions, read, make rows, commit. One thread decides everything."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from random import Random

from confluent_kafka import KafkaException
from deltalake.exceptions import DeltaError

from indexing.backoff import full_jitter
from lake.errors import one_line
from lake.metrics import (
    COMMIT_FAILURES,
    COMMIT_SECONDS,
    COMMITS,
    DROPPED_BATCHES,
    GAP_OFFSETS,
    LAST_COMMIT,
    OLDEST_UNCOMMITTED_SECONDS,
    READ,
    REJECTED,
    ROWS,
)
from lake.serve.batch import Batch, Span
from lake.serve.group import Group
from lake.serve.rows import RowBuilder
from lake.serve.settings import ServeSettings
from lake.serve.writer import Writer

logger = logging.getLogger(__name__)

_READ_RECORDS = 1_000
_READ_BYTES = 8 * 1024 * 1024
_FIRST_GUESS_BYTES = 64 * 1024
_READ_SECONDS = 0.1
_GAUGES_EVERY_SECONDS = 1.0
_PROBE_SECONDS = 2.0
DRAIN_SECONDS = 5.0
"""How long the end waits at most for a storage that fails."""

STORAGE_ERRORS = (DeltaError, OSError)
_PLACE_ERRORS = (*STORAGE_ERRORS, KafkaException, TimeoutError)


class Loop:  # pylint: disable=too-many-instance-attributes  # its parts, and what has come so far
    """Moves records into the tables until ``stopping`` is set.

    Args:
        settings: when a batch is due.
        group: gives partitions and records.
        writer: commits batches.
        builder: makes rows.

    Attributes:
        stopping: ends ``run``.
        last_turn: time of the last turn, by ``time.monotonic``.
    """

    def __init__(self, settings: ServeSettings, group: Group, writer: Writer, builder: RowBuilder) -> None:
        self.stopping = threading.Event()
        self.last_turn = time.monotonic()
        self._settings = settings
        self._group = group
        self._writer = writer
        self._builder = builder
        self._random = Random()
        self._batch = Batch("")
        self._doubted: dict[int, int] = {}
        self._record_bytes = _FIRST_GUESS_BYTES
        self._attempt = 0
        self._try_at = 0.0
        self._trouble: str | None = None
        self._next_gauges = 0.0

    def run(self) -> None:
        """Serve; at the end commit what is there, within a few seconds where the storage fails, and leave the group.

        Raises:
            confluent_kafka.KafkaException: the client is beyond recovery.
        """
        self._group.join(self._on_leave)
        while not self.stopping.is_set():
            self.turn()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._batch.opened is not None and time.monotonic() < deadline:
            if time.monotonic() >= self._try_at:
                self._commit()
            else:
                time.sleep(_READ_SECONDS)
        self._group.leave()

    def turn(self) -> None:
        """Do what is due, then read."""
        now = self.last_turn = time.monotonic()
        if self._batch.topic_id:
            self._group.watch_topic(self._batch.topic_id)
        if now >= self._try_at:
            if self._is_due(now):
                self._commit()
            elif self._group.unplaced:
                self._place()
        self._update_gauges(now)
        records = self._group.read(max(1, min(_READ_RECORDS, _READ_BYTES // self._record_bytes)), _READ_SECONDS)
        if not records:
            return
        taken, jumps = self._batch.in_order(records)
        if taken:
            before = self._batch.bytes
            self._batch.add(taken, self._builder, time.monotonic())
            READ.inc(len(taken))
            self._record_bytes = 1 + (self._batch.bytes - before) // len(taken)
        for partition, offset in jumps.items():
            self._jumped(partition, offset)

    def dependencies(self) -> Mapping[str, str | None]:
        """Reason why each dependency is not ready, or None; from any thread, within seconds."""
        kafka = self._group.probe(_PROBE_SECONDS)
        if kafka is None and not self._group.has_joined:
            kafka = "the group has not been joined yet"
        return {"kafka": kafka, "lake": self._trouble}

    def has_first_partition(self) -> bool:
        """Whether the topic's first partition is read here, as it is by one writer of all; from any thread."""
        return 0 in self._batch.spans

    def _is_due(self, now: float) -> bool:
        opened, settings = self._batch.opened, self._settings
        if opened is None:
            return False
        return self._batch.bytes >= settings.commit_bytes or now - opened >= settings.commit_seconds

    def _place(self) -> None:
        """Find where unplaced partitions are read from: where the batch is, or else the lake."""
        try:
            topic_id = self._group.topic_id()
            if topic_id != self._batch.topic_id:
                if self._batch.opened is not None:
                    # Of the topic that was; the new one's turn comes when it is written.
                    self._commit()
                    return
                self._batch = Batch(topic_id)
            partitions = sorted(self._group.unplaced)
            positions = self._writer.positions(topic_id, partitions)
            for partition in partitions:
                self._batch.begin(partition, positions[partition])
                if not self._place_one(partition):
                    self._commit()
                    return
        except _PLACE_ERRORS as error:
            self._failed("positions cannot be had yet", error)
            return
        self._worked()

    def _place_one(self, partition: int) -> bool:
        """Place a partition; not (False) while the batch must be committed first."""
        span = self._batch.spans[partition]
        low, high = self._group.watermarks(partition)
        if span.next < low:
            logger.error(
                "partition %d: offsets %d to %d are gone unread: the topic keeps records for too short a time",
                partition,
                span.next,
                low - 1,
            )
            self._batch.gap(partition, low, time.monotonic())
        if span.next > high:
            if self._batch.opened is not None:
                return False
            self._rewind(partition, high)
        self._group.place(partition, self._batch.spans[partition].next)
        return True

    def _rewind(self, partition: int, end: int) -> None:
        """Go back to the partition's end: the broker lost records, and will give their offsets to others."""
        if self._group.topic_id() != self._batch.topic_id:
            raise TimeoutError("the topic was made again meanwhile")
        logger.error(
            "partition %d ends at %d, and the lake has up to %d: the broker lost records; reading on from its end",
            partition,
            end,
            self._batch.spans[partition].next,
        )
        self._writer.rewind(self._batch.topic_id, partition, end)
        self._batch.spans[partition] = Span(end, end)

    def _jumped(self, partition: int, offset: int) -> None:
        """Offsets are missing before a record: read again from the first of them, and believe it the second time."""
        expected = self._batch.spans[partition].next
        if self._doubted.pop(partition, None) == expected:
            logger.error("partition %d: Kafka has no offsets %d to %d", partition, expected, offset - 1)
            self._batch.gap(partition, offset, time.monotonic())
        else:
            self._doubted[partition] = expected
        self._group.unplaced.add(partition)

    def _on_leave(self, partitions: Sequence[int]) -> None:
        """Write what there is of partitions that go to another member; what cannot be written now, that one reads."""
        if self._batch.opened is not None:
            self._commit()
            if self._batch.opened is not None:
                self._drop("partitions leave, and the storage fails")
        for partition in partitions:
            self._batch.spans.pop(partition, None)

    def _commit(self) -> None:
        batch, began = self._batch, time.monotonic()
        try:
            is_there = self._writer.commit(batch)
        except STORAGE_ERRORS as error:
            COMMIT_FAILURES.inc()
            self._failed("the batch is kept, and its commit tried again", error)
            return
        self._worked()
        if not is_there:
            self._drop("another writer has written some of the batch")
            return
        COMMIT_SECONDS.observe(time.monotonic() - began)
        _count(batch)
        self._group.commit({partition: span.next for partition, span in batch.moved.items()})
        self._batch = batch.successor()

    def _drop(self, why: str) -> None:
        """Give the batch up, and go on where the lake is."""
        logger.warning("a batch is dropped, and read again from where the lake is: %s", why)
        DROPPED_BATCHES.inc()
        self._batch = Batch(self._batch.topic_id)
        self._doubted.clear()
        self._group.displace()

    def _failed(self, consequence: str, error: BaseException) -> None:
        """Pause, and wait longer each time."""
        self._attempt += 1
        self._try_at = time.monotonic() + full_jitter(self._attempt, self._random)
        self._trouble = one_line(error)
        if self._attempt == 1:
            logger.error("%s: %s", consequence, self._trouble)
            self._group.pause()

    def _worked(self) -> None:
        if self._attempt:
            logger.info("the storage and Kafka answer again, after %d tries", self._attempt)
            self._attempt, self._trouble = 0, None
            self._group.resume()

    def _update_gauges(self, now: float) -> None:
        if now < self._next_gauges:
            return
        self._next_gauges = now + _GAUGES_EVERY_SECONDS
        self._group.update_lag({partition: span.start for partition, span in self._batch.spans.items()})
        oldest_ms = self._batch.oldest_ms
        OLDEST_UNCOMMITTED_SECONDS.set(0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000))


def _count(batch: Batch) -> None:
    COMMITS.inc()
    LAST_COMMIT.set_to_current_time()
    ROWS.inc(sum(rows.num_rows for rows in batch.events))
    GAP_OFFSETS.inc(sum(end - first for _, first, end in batch.gaps))
    for rows in batch.rejected:
        for reason in rows["reason"].to_pylist():
            REJECTED.labels(reason).inc()
