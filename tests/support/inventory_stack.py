"""The inventory on real servers: the relay in the test's own process, the indexer as another, one type in one index."""

import threading
from typing import Any

import orjson
from confluent_kafka.cimpl import NewTopic
from elasticsearch import Elasticsearch
from pytest_django import Settings

from contracts.inventory_change.change import SNAPSHOT
from contracts.inventory_change.topics import InventoryTopicSettings
from contracts.query_event.topics import TopicSettings
from elastic.settings import ElasticsearchSettings
from gateway.inventory.indices import Indices
from gateway.inventory.models import Change, Document, InventoryType, RelayState
from gateway.inventory.rebuild import Rebuild, unfinished
from gateway.inventory.relay import outbox
from gateway.inventory.relay.composition import IndexedTypes, snapshot, stored
from gateway.inventory.relay.lease import Lease
from gateway.inventory.relay.producer import WorkerProducer
from gateway.inventory.relay.publisher import Publisher
from gateway.inventory.relay.relay import Relay
from gateway.inventory.relay.topic import TopicWatch
from gateway.inventory.repair import Repair
from gateway.inventory.worker import make_client
from indexing.topics import create_topics
from kit.kafka import KafkaSettings
from tests.support import topic
from tests.support.inventory import declare
from tests.support.inventory_change import read_change
from tests.support.query_event import read_event
from tests.support.trail import InventoryTrail
from tests.support.waiting import eventually

THING = "thing"
PROPERTIES = {"name": {"type": "string"}, "size": {"type": "integer"}}


class InventoryStack:
    """Topics and indices of the test's own; the database is the test's.

    Args:
        trail: the topics, and the indexer's account.
        settings: Django's, pointed at the servers.
    """

    def __init__(self, trail: InventoryTrail, settings: Settings) -> None:
        self.trail = trail
        self.audit_topic = f"audit-{trail.name}"
        self.kafka = KafkaSettings(bootstrap_servers=trail.bootstrap)
        settings.KAFKA = self.kafka
        settings.ELASTICSEARCH = ElasticsearchSettings(url=trail.elasticsearch_url)
        settings.INVENTORY = InventoryTopicSettings(topic=trail.topic, dlq_topic=trail.dlq_topic)
        settings.AUDIT = TopicSettings(topic=self.audit_topic)
        create_topics(self.kafka, lambda replicas: [NewTopic(self.audit_topic, 1, replicas)])
        topic.wait_for_leaders(trail.bootstrap, self.audit_topic, range(1))
        # Those that every installation has would be in the indices of other tests.
        InventoryType.objects.all().delete()
        self.client: Elasticsearch = make_client()
        self.indices = Indices(self.client)
        self.declare(THING, PROPERTIES)

    def declare(self, name: str, properties: Any, **members: Any) -> None:
        """Declare a type whose index is the test's own."""
        alias = self.trail.index_prefix.removesuffix("-")
        declare(name, properties, index=alias if name == THING else f"{alias}-{name}", **members)

    @property
    def alias(self) -> str:
        """The alias of the first type's index."""
        return self.trail.index_prefix.removesuffix("-")

    def publisher(self) -> Publisher:
        """A way to Kafka."""
        return Publisher(WorkerProducer(self.kafka), self.trail.topic, self.audit_topic)

    def relay(
        self,
        holder: str = "worker",
        publisher: Publisher | None = None,
        seconds: float = 10.0,
        indices: Indices | None = None,
    ) -> Relay:
        """A relay of a worker of its own."""
        watch = TopicWatch(self.kafka, self.trail.topic)
        lease = Lease(holder, seconds)
        return Relay(lease, watch, publisher or self.publisher(), indices or self.indices, self.trail.topic)

    def rebuild(self, publisher: Publisher | None = None) -> None:
        """Carry every rebuild through that is begun."""
        while building := unfinished(types := IndexedTypes.read()):
            unprepared = self.indices.ensure(types)
            for each in building:
                if unprepared.keys().isdisjoint(each.names):
                    Rebuild(self.indices, self.repairer(publisher)).finish(each)

    def repairer(self, publisher: Publisher | None = None) -> Repair:
        """A repair of indices."""
        return Repair(self.client, self.indices, publisher or self.publisher(), threading.Event())

    def changes(self) -> list[dict[str, Any]]:
        """Every change on the topic, without snapshots, in the order of the numbers; repeated ones once."""
        found: dict[int, dict[str, Any]] = {}
        for record in topic.records(self.trail.bootstrap, self.trail.topic, range(6)):
            change = read_change(record.value())
            if change["op"] != SNAPSHOT:
                assert found.setdefault(change["feed"], change)["change_id"] == change["change_id"]
        return [found[feed] for feed in sorted(found)]

    def events(self) -> set[str]:
        """The ids of the audit events."""
        return {
            read_event(record.value())["event_id"]
            for record in topic.records(self.trail.bootstrap, self.audit_topic, [0])
        }

    def settle(self) -> None:
        """Wait until all that is published is indexed."""
        positions = RelayState.objects.get().positions
        self.repairer().wait(lambda: {int(partition): offset for partition, offset in positions.items()})

    def indexed(self, alias: str) -> dict[str, tuple[int, Any]]:
        """Version and document by id, of everything in an index."""
        self.client.indices.refresh(index=alias)
        hits = self.client.search(index=alias, size=10_000, version=True)["hits"]["hits"]
        return {hit["_id"]: (hit["_version"], hit["_source"]) for hit in hits}

    def expected(self, type_: str) -> dict[str, tuple[int, Any]]:
        """The same of the database: what the index shall hold."""
        with snapshot():
            types = IndexedTypes.read()
            rows = list(Document.objects.filter(type=type_))
            documents = stored(types.indices[type_].declared, rows)
        return {each.name[1]: (each.version, orjson.loads(each.body)) for each in documents if each.body is not None}

    def assert_agreement(self) -> None:
        """Database, topic and index agree, document by document; the numbers are 1 to N; each change has its event."""
        self.settle()
        for each in IndexedTypes.read().indices.values():
            assert self.indexed(each.declared.index) == self.expected(each.declared.name), each.declared.name
        rows = list(Change.objects.order_by("feed"))
        assert [row.feed for row in rows] == list(range(1, len(rows) + 1))
        changes = self.changes()
        assert [(change["feed"], change["change_id"], change["version"]) for change in changes] == [
            (row.feed, str(row.change_id), row.version) for row in rows
        ]
        assert [change["document"] for change in changes] == [row.body and orjson.loads(row.body) for row in rows]
        assert {str(row.change_id) for row in rows} <= self.events()


def publish_all(relay: Relay) -> None:
    """Let a relay work until everything is published."""
    eventually(lambda: relay.turn() >= 0 and relay.leads and not outbox.is_waiting(), "everything published")


class Killed(BaseException):
    """The process was killed here."""


class KilledAt:  # pylint: disable=too-few-public-methods  # it publishes
    """A publisher that dies at its n-th step: before the events, before the changes, or behind them."""

    def __init__(self, publisher: Publisher, producer: WorkerProducer, step: int) -> None:
        self._publisher = publisher
        self._send = producer.send
        self._left = step
        producer.send = self._step  # type: ignore[method-assign]
        self.publish = self._publish

    def _publish(self, *arguments: Any) -> Any:
        places = self._publisher.publish(*arguments)
        self._die()
        return places

    def _step(self, records: Any) -> Any:
        self._die()
        return self._send(records)

    def _die(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed
