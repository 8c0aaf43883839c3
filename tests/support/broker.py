"""A Kafka broker of a test's own, which it may stop, freeze and kill."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from audit_sink.topics import create_topics
from contracts.query_event.topics import TopicSettings
from kit.kafka import KafkaSettings
from local import jars, ports
from local.kafka import Kafka
from tests.support.waiting import eventually

TOPIC = "events"
_PATIENCE_SECONDS = 60
# A node that was killed is taken back only once its old session is over, which takes nine seconds otherwise.
_OVERRIDES = ["--override", "broker.session.timeout.ms=1000", "--override", "broker.heartbeat.interval.ms=200"]


class Broker:
    """One node, on ports that stay its own while it is away."""

    def __init__(self, home: Path) -> None:
        port, controller_port = ports.free(2)
        self._node = Kafka(home, jars.fetch()["kafka"], port, controller_port)
        self._node.prepare()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> KafkaSettings:
        """How it is reached."""
        return KafkaSettings(bootstrap_servers=self._node.bootstrap_servers)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with  # it outlives this method
            [*self._node.command(), *_OVERRIDES],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._listens, "the broker listens")

    def _listens(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "the broker has ended"
        return ports.answers(self._node.port)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP freezes it with its connections open, SIGCONT lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_PATIENCE_SECONDS)
            self._process = None

    def revive(self) -> None:
        """Let it run again, whatever has been done to it."""
        if self._process is None:
            self.start()
        else:
            self.send(signal.SIGCONT)

    def records(self) -> list[Message]:
        """Every record of the topic, each partition in its order."""
        reader = Consumer({"bootstrap.servers": self._node.bootstrap_servers, "group.id": "reader"})
        try:
            partitions = [TopicPartition(TOPIC, number, 0) for number in _partitions(reader)]
            unread = sum(_end(reader, partition) for partition in partitions)
            reader.assign(partitions)
            found: list[Message] = []
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while len(found) < unread:
                assert time.monotonic() < deadline, "the topic cannot be read"
                found += [message for message in reader.consume(1000, 0.5) if message.error() is None]
            return found
        finally:
            reader.close()


def _partitions(reader: Consumer) -> list[int]:
    return [*reader.list_topics(TOPIC, timeout=_PATIENCE_SECONDS).topics[TOPIC].partitions]


def _end(reader: Consumer, partition: TopicPartition) -> int:
    """Where a partition ends; one that has just come back has no leader for a moment."""

    def offsets() -> tuple[int, int] | None:
        with suppress(KafkaException):
            return reader.get_watermark_offsets(partition, timeout=5)
        return None

    return eventually(offsets, "the partition has a leader")[1]


@contextmanager
def broker(home: Path) -> Iterator[Broker]:
    """A broker that runs, with the topic made, until the context ends."""
    node = Broker(home)
    try:
        node.start()
        create_topics(node.settings, TopicSettings(topic=TOPIC, dlq_topic=f"{TOPIC}.dlq"))
        yield node
    finally:
        node.end()
