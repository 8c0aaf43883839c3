"""Reader of a whole topic without a consumer group: each process reads all of it, and commits nothing.

Why: every process of live sockets wants every record, and none wants what was produced while it was down. A group would
leave offsets behind for each process that ever ran.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from gateway.live.metrics import READING
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config, probe_topic
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
_POLL_SECONDS = 0.1
_LOOK_AFTER_POLLS = 300
_BATCH = 500


class Taker(NamedTuple):
    """Takes what is read, in the reader's thread.

    ``began`` gets the offsets at which reading begins, by partition, also when it goes on after a failure; and those of
    the next records that will be produced.
    """

    began: Callable[[Mapping[int, int], Mapping[int, int]], object]
    took: Callable[[list[Message]], object]


class _Changed(Exception):
    """The topic has other partitions, or was made again."""


class TopicReader:  # pylint: disable=too-many-instance-attributes  # its parts
    """Reads a topic from its end on, in a thread.

    Args:
        kafka: how the cluster is reached.
        topic: what is read.
        back: how many records of each partition before its end are read first.
        taker: takes what is read.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, back: int, taker: Taker) -> None:
        self._kafka = kafka
        self._topic = topic
        self._back = back
        self._taker = taker
        self._positions: dict[int, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"read {topic}", daemon=True)
        self._admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)
        READING.labels(topic).set(0)

    def start(self) -> None:
        """Begin to read; what fails is tried again until ``stop``."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading, and wait for that."""
        self._stopping.set()
        self._thread.join(_ANSWER_SECONDS)

    def probe(self, timeout: float) -> str | None:
        """Say what is wrong with the topic, as the cluster tells it within ``timeout`` seconds; from any thread."""
        return probe_topic(self._admin, self._topic, timeout)

    def _run(self) -> None:
        try:
            self._read_on()
        except Exception:  # pylint: disable=broad-exception-caught  # whatever it is, nothing is read any more
            logger.critical("the reader of %s has failed, and the process ends", self._topic, exc_info=True)
            os.kill(os.getpid(), signal.SIGTERM)

    def _read_on(self) -> None:
        while not self._stopping.is_set():
            consumer = self._connect()
            try:
                self._read(consumer)
            except KafkaException as error:
                logger.error("%s is not read, and tried again: %s", self._topic, error.args[0])
            except _Changed:
                logger.warning("%s has changed, and is looked at again", self._topic)
            finally:
                READING.labels(self._topic).set(0)
                consumer.close()
            self._stopping.wait(_PAUSE_SECONDS)

    def _read(self, consumer: Consumer) -> None:
        ends = self._ends(consumer)
        for number, (low, high) in ends.items():
            known = self._positions.get(number)
            goes_on = known is not None and low <= known <= high
            self._positions[number] = known if known is not None and goes_on else max(low, high - self._back)
        self._positions = {number: self._positions[number] for number in ends}
        self._taker.began(dict(self._positions), {number: high for number, (_, high) in ends.items()})
        consumer.assign([TopicPartition(self._topic, number, offset) for number, offset in self._positions.items()])
        logger.info("%s is read, %d partitions", self._topic, len(ends))
        READING.labels(self._topic).set(1)
        polls = 0
        while not self._stopping.is_set():
            self._take(consumer.consume(_BATCH, _POLL_SECONDS))
            polls += 1
            if polls % _LOOK_AFTER_POLLS == 0:
                self._look(consumer)

    def _take(self, messages: list[Message]) -> None:
        records = []
        failure = None
        for message in messages:
            failure = message.error()
            if failure is not None:
                break
            records.append(message)
            partition, offset = message.partition(), message.offset()
            if partition is not None and offset is not None:
                self._positions[partition] = offset + 1
        if records:
            # Also what came before an error: reading goes on behind it.
            self._taker.took(records)
        if failure is not None:
            raise KafkaException(failure)

    def _look(self, consumer: Consumer) -> None:
        """Notice that there are more partitions, or that the topic is another one, of which librdkafka says nothing."""
        try:
            ends = self._ends(consumer)
        except KafkaException:
            # The broker is away; the client says so when it is read from.
            return
        if ends.keys() != self._positions.keys() or any(ends[each][1] < self._positions[each] for each in ends):
            raise _Changed

    def _ends(self, consumer: Consumer) -> dict[int, tuple[int, int]]:
        found = consumer.list_topics(self._topic, timeout=_ANSWER_SECONDS).topics[self._topic]
        if found.error is not None:
            raise KafkaException(found.error)
        return {
            number: consumer.get_watermark_offsets(TopicPartition(self._topic, number), timeout=_ANSWER_SECONDS)
            for number in found.partitions
        }

    def _connect(self) -> Consumer:
        return Consumer(
            client_config(self._kafka)
            | {
                "client.id": "live",
                # The library wants one, even where no group is joined.
                "group.id": "live",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 8 * 1024,
                "allow.auto.create.topics": False,
            },
            logger=LIBRDKAFKA,
        )
