"""A Kafka broker of a test's own, which it may stop, freeze and kill."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from confluent_kafka import Message

from audit_sink.topics import topics
from contracts.console_event.topics import ConsoleTopicSettings
from contracts.query_event.topics import TopicSettings
from indexing.topics import PARTITIONS, create_topics
from kit.kafka import KafkaSettings
from local import jars, ports
from local.kafka import Kafka
from tests.support import topic
from tests.support.process import Process
from tests.support.waiting import eventually

TOPIC = "events"
# A node that was killed is taken back only once its old session is over, which takes nine seconds otherwise.
_OVERRIDES = ["--override", "broker.session.timeout.ms=1000", "--override", "broker.heartbeat.interval.ms=200"]


class Broker(Process):
    """One node, on ports that stay its own while it is away."""

    def __init__(self, home: Path) -> None:
        port, controller_port = ports.free(2)
        self._node = Kafka(home, jars.fetch()["kafka"], port, controller_port)
        self._node.prepare()
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        super().__init__(*self._node.command(), *_OVERRIDES, **streams)

    @property
    def settings(self) -> KafkaSettings:
        """How it is reached."""
        return KafkaSettings(bootstrap_servers=self._node.bootstrap_servers)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        super().start()
        eventually(self._listens, "the broker listens")

    def _listens(self) -> bool:
        assert self.is_running, "the broker has ended"
        return ports.answers(self._node.port)

    def revive(self) -> None:
        """Let it run again, whatever has been done to it."""
        if self.is_running:
            self.thaw()
        else:
            self.start()

    def records(self) -> list[Message]:
        """Every record of the topic, each partition in its order."""
        return topic.records(self._node.bootstrap_servers, TOPIC, range(PARTITIONS))


@contextmanager
def broker(home: Path) -> Iterator[Broker]:
    """A broker that runs, with the topic made, until the context ends."""
    node = Broker(home)
    try:
        node.start()
        create_topics(
            node.settings, partial(topics, TopicSettings(topic=TOPIC, dlq_topic=f"{TOPIC}.dlq"), ConsoleTopicSettings())
        )
        yield node
    finally:
        node.kill()
