"""A topic of a test's own with its consumer's group and indices, for each consumer on ``indexing``."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from confluent_kafka import ConsumerGroupState, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from elasticsearch import ApiError, Elasticsearch
from msgspec import Raw

from audit_sink.command_line import PROGRAM as AUDIT_SINK
from audit_sink.projection import AuditProjection
from audit_sink.topics import topics as audit_topics
from contracts.console_event.topics import ConsoleTopicSettings
from contracts.inventory_change.change import IndexedDocument, InventoryChange
from contracts.inventory_change.change import encode as encode_change
from contracts.inventory_change.topics import InventoryTopicSettings
from contracts.query_event.event import AuditEvent, encode, headers, new_event_id
from contracts.query_event.topics import TopicSettings
from contracts.raw_json import NULL
from indexing.command_line import main
from indexing.projection import Projection
from indexing.topics import PARTITIONS, create_topics
from inventory_index.command_line import PROGRAM as INVENTORY_INDEX
from inventory_index.projection import InventoryProjection
from inventory_index.topics import topics as inventory_topics
from kit.kafka import KafkaSettings
from tests.support import topic
from tests.support.command_line import run_here
from tests.support.query_event import event
from tests.support.waiting import eventually

REFUSED_VALUE = "2026-13-45T25:61:61.000Z"
"""Value that no consumer's mapping takes where ``refused_by_mapping`` puts it."""


def refused_by_mapping(original: AuditEvent) -> bytes:
    """A valid event that Elasticsearch refuses, because there is no such time."""
    return orjson.dumps(orjson.loads(encode(original)) | {"timestamp": REFUSED_VALUE})


@dataclass
class Trail:  # pylint: disable=too-many-public-methods  # everything about one topic and its documents
    """Topics, a group and indices that no other test has."""

    bootstrap: str
    elasticsearch_url: str
    name: str
    client: Elasticsearch
    producer: Producer
    ids: set[str] = field(default_factory=set)
    program = AUDIT_SINK
    """The consumer's."""

    @property
    def prefix(self) -> str:
        """The beginning of the names of the consumer's variables."""
        return f"{self.program.package.upper()}_"

    @property
    def topic(self) -> str:
        """The topic of the events."""
        return f"events-{self.name}"

    @property
    def dlq_topic(self) -> str:
        """The topic of the dead letters."""
        return f"events-{self.name}.dlq"

    @property
    def index_prefix(self) -> str:
        """The beginning of the indices' names."""
        return f"query-logs-{self.name}-"

    @property
    def indices(self) -> str:
        """All the indices."""
        return f"{self.index_prefix}*"

    @property
    def projection(self) -> Projection:
        """The projection of the topic's records."""
        return AuditProjection(self.index_prefix)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that an operator would set."""
        return os.environ | {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "ELASTICSEARCH_URL": self.elasticsearch_url,
            "AUDIT_TOPIC": self.topic,
            "AUDIT_DLQ_TOPIC": self.dlq_topic,
            "AUDIT_SINK_GROUP_ID": self.name,
            "AUDIT_SINK_INDEX_PREFIX": self.index_prefix,
        }

    def index(self, timestamp: datetime) -> str:
        """The index of an event of this time."""
        return self.index_prefix + timestamp.strftime("%Y.%m.%d")

    def topics(self, replicas: int) -> list[NewTopic]:
        """The topics as the consumer's command makes them."""
        return audit_topics(
            TopicSettings(topic=self.topic, dlq_topic=self.dlq_topic),
            ConsoleTopicSettings(topic=f"{self.topic}.console"),
            replicas,
        )

    def create_topics(self) -> None:
        """Create both topics, and wait until each partition has its leader."""
        create_topics(KafkaSettings(bootstrap_servers=self.bootstrap), self.topics)
        topic.wait_for_leaders(self.bootstrap, self.topic, range(PARTITIONS))
        topic.wait_for_leaders(self.bootstrap, self.dlq_topic, range(1))

    def named(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The consumer's own variables, which a test gives as the audit sink's."""
        return {name.replace("AUDIT_SINK_", self.prefix): value for name, value in variables.items()}

    def command(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the consumer to its end, in this process."""
        done = run_here(partial(main, self.program), *arguments, variables=self.environment | self.named(variables))
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def produce(self, events: Iterable[AuditEvent], partition: int = -1) -> None:
        """Put events on the topic as its producer does, on any partition (-1) or on one, and into the account."""
        self.produce_documents(events, partition)

    def produce_documents(self, events: Iterable[AuditEvent], partition: int = -1) -> None:
        """Put events on the topic and into the account, each as one record that becomes one document."""
        for each in events:
            self._put(each, partition)
        self.producer.flush()

    def _put(self, each: AuditEvent, partition: int) -> None:
        self.ids.add(each.event_id)
        self.producer.produce(
            self.topic,
            key=each.user_id,
            value=self.record(each),
            headers=[*headers(each, None)],
            partition=partition,
            on_delivery=_delivered,
        )
        self.producer.poll(0)

    def record(self, each: AuditEvent) -> bytes:
        """The value of an event's record."""
        return encode(each)

    def refused_by_mapping(self, each: AuditEvent) -> bytes:
        """The value of a record whose document Elasticsearch refuses."""
        return refused_by_mapping(each)

    def produce_raw(self, value: bytes | None, partition: int = 0) -> None:
        """Put bytes on a partition of the topic."""
        self.producer.produce(self.topic, key=b"raw", value=value, partition=partition, on_delivery=_delivered)
        self.producer.flush()

    @contextmanager
    def under_load(self) -> Iterator[None]:
        """Keep producing, about a hundred events a second, while the context lasts."""
        ended = threading.Event()

        def produce() -> None:
            while not ended.wait(0.1):
                self.produce(event(number) for number in range(10))

        with ThreadPoolExecutor(1) as load:
            producing = load.submit(produce)
            try:
                yield
            finally:
                ended.set()
                # Its own error, if any, is the cause of the block's.
                producing.result()

    def indexed(self) -> dict[str, dict[str, Any]]:
        """Every document by its id, 10,000 at most; fails if one id is in two indices."""
        found = self._ask(lambda: self.client.search(index=self.indices, size=10_000)["hits"]["hits"])
        ids = [hit["_id"] for hit in found]
        assert len(set(ids)) == len(ids), "an event is in two indices"
        return {hit["_id"]: hit for hit in found}

    def dead_letters(self) -> list[Message]:
        """Every record of the dead-letter topic."""
        return self.records(self.dlq_topic, 0)

    def records(self, name: str, partition: int) -> list[Message]:
        """Every record of a partition."""
        return topic.records(self.bootstrap, name, [partition])

    def lag(self) -> int:
        """Records that the group has not committed yet."""
        partitions = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        with closing(topic.reader(self.bootstrap, self.name)) as reader:
            total = 0
            for position in topic.told(lambda: reader.committed(partitions, timeout=10), "committed offsets"):
                low, high = topic.watermarks(reader, position)
                total += high - (position.offset if position.offset >= 0 else low)
            return total

    def group_state(self) -> ConsumerGroupState:
        """The group's state, as its coordinator tells it."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        state = admin.describe_consumer_groups([self.name])[self.name].result().state
        assert isinstance(state, ConsumerGroupState)
        return state

    def all_indexed(self, count: int | None = None) -> bool:
        """Whether every event of the account is a document (or, with a count, that many)."""
        found = self._ask(lambda: self.client.count(index=self.indices)["count"])
        return bool(found >= (len(self.ids) if count is None else count))

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Ask of all that is written; again while an index is so new that its shard cannot answer yet."""
        answers: list[Any] = []

        def is_answered() -> bool:
            try:
                self.client.indices.refresh(index=self.indices)
                answers.append(question())
            except ApiError as error:
                if error.status_code != 503:
                    raise
            return bool(answers)

        eventually(is_answered, "an answer of Elasticsearch")
        return answers[0]

    def assert_account_closes(self) -> None:
        """Every event is a document or a dead letter, and there is no document of anything else."""
        indexed = set(self.indexed())
        dead = {dict(message.headers() or []).get("ce_id", b"") for message in self.dead_letters()}
        assert indexed | {each.decode() for each in dead if isinstance(each, bytes)} - {""} == self.ids


INVENTORY_TEMPLATE: dict[str, Any] = {
    "index_patterns": ["things-*"],
    "template": {
        "settings": {"number_of_replicas": 0},
        "mappings": {
            "dynamic": "strict",
            "properties": {"name": {"type": "keyword", "index": False, "doc_values": False}},
        },
    },
}
"""Index template of the inventory's documents, which the gateway's worker makes index by index."""


class InventoryTrail(Trail):
    """Trail of the inventory's indexer: of three events, two become documents and one is deleted again."""

    program = INVENTORY_INDEX

    @property
    def index_prefix(self) -> str:
        """The beginning of the index's name."""
        return f"things-{self.name}-"

    @property
    def projection(self) -> Projection:
        """The projection of the topic's records."""
        return InventoryProjection()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that an operator would set."""
        return super().environment | {
            "INVENTORY_TOPIC": self.topic,
            "INVENTORY_DLQ_TOPIC": self.dlq_topic,
            "INVENTORY_INDEX_GROUP_ID": self.name,
        }

    def topics(self, replicas: int) -> list[NewTopic]:
        """The topics as the indexer's command makes them."""
        return inventory_topics(InventoryTopicSettings(topic=self.topic, dlq_topic=self.dlq_topic), replicas)

    def index(self, timestamp: datetime) -> str:
        """The one index that there is."""
        return f"{self.index_prefix}000001"

    def produce(self, events: Iterable[AuditEvent], partition: int = -1) -> None:
        """Put creations on the topic, each third of them followed by a deletion, twice, and by what changes nothing."""
        for number, each in enumerate(events):
            self._put(each, partition)
            if number % 3 == 0:
                for documents in ([], [self._indexed(each, 2, NULL)], [self._indexed(each, 2, NULL)]):
                    self._produce(each, documents, partition)
                self.ids.discard(each.event_id)
        absent = event()
        self._produce(absent, [self._indexed(absent, 1, NULL)], partition)
        self.producer.flush()

    def record(self, each: AuditEvent) -> bytes:
        """The value of a creation."""
        return self._value(each, [self._indexed(each, 1, Raw(orjson.dumps({"name": each.data.query})))])

    def refused_by_mapping(self, each: AuditEvent) -> bytes:
        """The value of a creation that Elasticsearch refuses, because its name is an object."""
        document = Raw(orjson.dumps({"name": {"time": REFUSED_VALUE, "query": each.data.query}}))
        return self._value(each, [self._indexed(each, 1, document)])

    def all_indexed(self, count: int | None = None) -> bool:
        """Whether there are the documents of the account and no others (or, with a count, that many at least)."""
        return set(self.indexed()) == self.ids if count is None else super().all_indexed(count)

    def record_of(self, index: str, document_id: str, version: int) -> bytes:
        """The value of a change that puts a document into an index."""
        return self._value(event(), [IndexedDocument(index, document_id, version, Raw(b'{"name":"late"}'))])

    def _produce(self, each: AuditEvent, documents: list[IndexedDocument], partition: int) -> None:
        value = self._value(each, documents)
        self.producer.produce(self.topic, key=each.user_id, value=value, partition=partition, on_delivery=_delivered)

    def _indexed(self, each: AuditEvent, version: int, document: Raw) -> IndexedDocument:
        return IndexedDocument(self.index(datetime.now(UTC)), each.event_id, version, document)

    def _value(self, each: AuditEvent, documents: list[IndexedDocument]) -> bytes:
        change = InventoryChange(
            schema_version=1,
            change_id=new_event_id(),
            feed=1,
            type="thing",
            id=each.event_id,
            version=1,
            op="create",
            at=each.timestamp,
            actor=each.user_id,
            request_id="r1",
            changed=[""],
            document=NULL,
            documents=documents,
        )
        return encode_change(change)


TRAILS = {"audit": Trail, "inventory": InventoryTrail}
"""The account of each consumer on ``indexing``, by a name for a test's parameter."""

NewTrail = Callable[[str], Trail]
"""Makes topics and indices for a consumer, named as in ``TRAILS``."""


def _delivered(error: object, _message: Message) -> None:
    assert error is None, error
