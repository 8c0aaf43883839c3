"""The inventory under every fault: two gateways, workers and indexers on one PostgreSQL, and the account of their work.

The account closes if the database has what the writers were answered, and if database, topic, audit trail and indices
agree document by document.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import urllib3
from confluent_kafka.cimpl import NewTopic
from elasticsearch import helpers

from contracts.inventory_change.change import SNAPSHOT
from indexing.topics import create_topics
from kit.kafka import KafkaSettings
from local import ports
from tests.chaos.writers import CHILD, PARENT, TYPE, Ledger, Name, Writers
from tests.support import topic
from tests.support.gateway import AUTHORIZATION, Backing, Gateway, configured_gateway, gateway_postgresql, kill
from tests.support.inventory_change import read_change
from tests.support.process import Process, python
from tests.support.query_event import read_event
from tests.support.trail import InventoryTrail
from tests.support.waiting import eventually, wait_until_up

_TWO = range(2)
_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
    "additionalProperties": False,
}
_SETTLE_SECONDS = 180.0


class GatewayProcess(Process):
    """A gateway, which is killed with its workers: these would see their parent's end, and stop in an orderly way."""

    def kill(self) -> None:
        """SIGKILL to all of them, and wait for their end."""
        kill(self.process)
        super().kill()


class Inventory:
    """The inventory's processes, and what they should have done.

    Args:
        trail: the topics of changes.
        gateways: as they are configured; two.
        database: PostgreSQL's address.
        home: the folder for logs.
        seed: of what is written.
    """

    def __init__(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # all that there is
        self, trail: InventoryTrail, gateways: list[Gateway], database: str, home: Path, seed: int
    ) -> None:
        self.ledger = Ledger()
        self._trail = trail
        self._database = database
        self._aliases = {name: f"{trail.name}-{name}" for name in (TYPE, PARENT, CHILD)}
        self._gateways = gateways
        self.writers = Writers([gateway.url for gateway in gateways], AUTHORIZATION, seed, self.ledger)
        self.processes: dict[str, Process] = {}
        logs = home / "logs"
        for number, gateway in enumerate(gateways):
            own = gateway.environment | {"GATEWAY_WORKER_METRICS_PORT": str(ports.free(1)[0])}
            indexer = trail.environment | {"INVENTORY_INDEX_METRICS_PORT": str(ports.free(1)[0])}
            for name, process in {
                "gateway": GatewayProcess(*python("gateway"), environment=own, log=logs / f"gateway-{number}.log"),
                "worker": Process(
                    *python("gateway", "worker"), environment=own, log=logs / f"inventory-worker-{number}.log"
                ),
                "indexer": Process(*python("inventory_index"), environment=indexer, log=logs / f"indexer-{number}.log"),
            }.items():
                self.processes[f"{name} {number + 1}"] = process

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run all processes while the context lasts, and declare the types that are written."""
        try:
            for process in self.processes.values():
                process.start()
            for gateway in self._gateways:
                wait_until_up(f"{gateway.url}/healthz")
            self._declare(TYPE)
            self._declare(PARENT)
            self._declare(CHILD, parent=PARENT)
            self._declare(PARENT, embed=[CHILD])
            yield
        finally:
            for process in self.processes.values():
                if process.is_running:
                    process.kill()

    def settle(self) -> list[str]:
        """Wait until everything is published and indexed; what is wrong with that."""
        try:
            eventually(self._is_settled, "all changes are published and indexed", _SETTLE_SECONDS)
        except AssertionError as error:
            return [f"{error}; {self._position()}, lag {self._trail.lag()}"]
        return []

    def complaints(self) -> list[str]:
        """Differences."""
        with psycopg.connect(self._database) as session:
            changes = session.execute(
                "SELECT feed, change_id, type, document_id, version, body FROM inventory_change ORDER BY feed"
            ).fetchall()
            documents = session.execute(
                "SELECT document.type, document.document_id, document.version, document.tree_version, document.body, "
                "parent.document_id FROM inventory_document document "
                "LEFT JOIN inventory_document parent ON parent.id = document.parent_id"
            ).fetchall()
        stored = {
            (type_, document_id): (version, None if body is None else json.loads(body))
            for type_, document_id, version, _, body, _ in documents
        }
        return (
            self.ledger.complaints(stored)
            + self._topic_complaints(changes)
            + [complaint for name in self._aliases for complaint in self._index_complaints(name, documents)]
        )

    def figures(self) -> dict[str, int]:
        """How much was written."""
        with psycopg.connect(self._database) as session:
            rows = session.execute("SELECT count(*) FROM inventory_change").fetchall()
        return {
            "writes answered": self.ledger.answered,
            "requests sent again": self.ledger.again,
            "changes": int(rows[0][0]),
        }

    def _declare(self, name: str, **members: Any) -> None:
        definition = {"schema": _SCHEMA, "index": self._aliases[name]} | members
        url = f"{self._gateways[0].url}/inventory-types/{name}"
        answer = urllib3.request("PUT", url, json=definition, headers=AUTHORIZATION, timeout=30.0)
        assert answer.status == 200, answer.data

    def _position(self) -> tuple[int, int]:
        """How many changes there are, and the number up to which they are published."""
        with psycopg.connect(self._database) as session:
            rows = session.execute(
                "SELECT (SELECT count(*) FROM inventory_change), "
                "coalesce((SELECT last_feed FROM inventory_relay_state), 0)"
            ).fetchall()
        return int(rows[0][0]), int(rows[0][1])

    def _is_settled(self) -> bool:
        written, published = self._position()
        return written == published and self._trail.lag() == 0

    def _topic_complaints(self, changes: list[tuple[Any, ...]]) -> list[str]:
        """Differences from the database, on the topic and on the audit trail."""
        found: dict[int, dict[str, Any]] = {}
        wrong: list[str] = []
        for record in topic.records(self._trail.bootstrap, self._trail.topic, range(6)):
            change = read_change(record.value())
            if change["op"] != SNAPSHOT and found.setdefault(change["feed"], change) != change:
                # A parent that embeds is composed anew where a change is published again.
                again = found[change["feed"]] | {"documents": None}
                if again != change | {"documents": None}:
                    wrong.append(f"the number {change['feed']} was given to two changes")
        if [row[0] for row in changes] != list(range(1, len(changes) + 1)):
            wrong.append("the numbers of the changes are not 1 to N")
        stated = [
            (number, each["change_id"], each["type"], each["id"], each["version"], each["document"])
            for number, each in sorted(found.items())
        ]
        kept = [
            (feed, str(change_id), type_, document_id, version, None if body is None else json.loads(body))
            for feed, change_id, type_, document_id, version, body in changes
        ]
        if stated != kept:
            wrong.append(f"the topic has {len(stated)} changes that are not the {len(kept)} of the database")
        audit_topic = self._gateways[0].environment["AUDIT_TOPIC"]
        events = {
            read_event(record.value())["event_id"] for record in topic.records(self._trail.bootstrap, audit_topic, [0])
        }
        lacking = {str(row[1]) for row in changes} - events
        if lacking:
            wrong.append(f"{len(lacking)} changes are not on the audit trail")
        return wrong

    def _index_complaints(self, type_: str, documents: list[tuple[Any, ...]]) -> list[str]:
        alias = self._aliases[type_]
        self._trail.client.indices.refresh(index=alias)
        hits = helpers.scan(self._trail.client, index=alias, query={"version": True}, size=1_000)
        indexed = {hit["_id"]: (hit["_version"], hit["_source"]) for hit in hits}
        expected = expected_index(type_, documents)
        return [
            f"{type_}/{each}: the index has {indexed.get(each)}, and the database {expected.get(each)}"
            for each in sorted(indexed.keys() | expected.keys())
            if indexed.get(each) != expected.get(each)
        ]


def expected_index(type_: str, documents: list[tuple[Any, ...]]) -> dict[str, tuple[int, Any]]:
    """Documents that the index of a type has to hold, by id: version and content.

    Args:
        type_: of which ``PARENT`` embeds documents of ``CHILD``.
        documents: type, id, version, version of the tree, content, and id of the parent.
    """
    below: dict[Name, list[tuple[str, Any]]] = {}
    for kind, document_id, _, _, body, parent in documents:
        if parent is not None and body is not None:
            below.setdefault((kind, parent), []).append((document_id, json.loads(body)))
    expected: dict[str, tuple[int, Any]] = {}
    for kind, document_id, version, tree_version, body, _ in documents:
        if kind != type_ or body is None:
            continue
        content = json.loads(body)
        if kind == PARENT and (CHILD, document_id) in below:
            content[CHILD] = [child for _, child in sorted(below[CHILD, document_id], key=lambda each: each[0])]
        expected[document_id] = (tree_version if kind == PARENT else version, content)
    return expected


@contextmanager
def prepared(trail: InventoryTrail, home: Path, seed: int) -> Iterator[Inventory]:
    """An inventory on the servers of a trail, whose processes are not started yet."""
    trail.create_topics()
    audit_topic = f"audit-{trail.name}"
    create_topics(
        KafkaSettings(bootstrap_servers=trail.bootstrap), lambda replicas: [NewTopic(audit_topic, 1, replicas)]
    )
    topic.wait_for_leaders(trail.bootstrap, audit_topic, range(1))
    (home / "logs").mkdir(exist_ok=True)
    with ExitStack() as running:
        # Writes need no translator.
        backing = Backing(trail.bootstrap, trail.elasticsearch_url, f"http://127.0.0.1:{ports.free(1)[0]}")
        server = running.enter_context(gateway_postgresql(backing))
        own = {
            "INVENTORY_TOPIC": trail.topic,
            "INVENTORY_DLQ_TOPIC": trail.dlq_topic,
            "AUDIT_TOPIC": audit_topic,
        }
        first = configured_gateway(home, backing, server, **own)
        assert first.run("user", "octoAdmin", "--role", "admin").returncode == 0
        gateways = [first]
        for number in _TWO[1:]:
            more = {"GATEWAY_PORT": str(ports.free(1)[0]), "GATEWAY_SPOOL_DIR": str(home / f"spool-{number}")}
            gateways.append(Gateway(first.environment | more))
        yield Inventory(trail, gateways, server.url, home, seed)
