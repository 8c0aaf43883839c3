"""One run of chaos: a stack of its own, harm for a while, and the accounts of audit trail and inventory."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Producer
from elasticsearch import helpers

from audit_sink.projection import AuditProjection
from elastic.bootstrap import bootstrap
from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from indexing.dead_letter_reader import DeadLetterReader
from kit.kafka import KafkaSettings
from local import ports, servers
from local.supervisor import supervisor
from tests.chaos import inventory
from tests.chaos.account import Account
from tests.chaos.harm import Harm
from tests.chaos.inventory import Inventory
from tests.chaos.load import Load
from tests.support.embedded_server import Server
from tests.support.trail import InventoryTrail, Trail
from tests.support.waiting import eventually

_SETTLE_SECONDS = 180.0
_EVENTS_PER_SECOND = 500


def run(home: Path, seconds: int, seed: int) -> list[str]:
    """Do harm for a while, print the accounts, and return what is wrong with them.

    Args:
        home: an empty folder for logs and data.
        seconds: how long.
        seed: of the faults' order.
    """
    with _stack(home) as (trail, broker, elasticsearch):
        changes = InventoryTrail(
            trail.bootstrap, trail.elasticsearch_url, f"{trail.name}-inventory", trail.client, trail.producer
        )
        with inventory.prepared(changes, home, seed) as written:
            harm = Harm(trail, broker, elasticsearch, written.processes, random.Random(seed), home)
            return _run(trail, written, harm, seconds)


def _run(trail: Trail, written: Inventory, harm: Harm, seconds: int) -> list[str]:
    account = Account()
    with written.running(), harm:
        with Load(trail, account, _EVENTS_PER_SECOND), written.writers, harm.progress:
            first_document = harm.first_document_after_sigkill()
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                print(f"{deadline - time.monotonic():5.0f} s left: {harm.one()}", flush=True)
        began = time.monotonic()
        wrong = _settle(trail) + written.settle()
        settled = time.monotonic() - began
        wrong += harm.end() + written.complaints()
        _take_stock(trail, account)
        figures = account.figures() | written.figures()
    for what, times in sorted(harm.done.items()):
        print(f"{what:<32}{times:>9}")
    for what, figure in {
        "longest without progress": harm.progress.longest,
        "the same while servers answer": harm.progress.longest_while_up,
        "first document after SIGKILL": first_document,
        "settled after the end of it": settled,
    }.items():
        print(f"{what:<32}{figure:>9.1f} s")
    for what, number in figures.items():
        print(f"{what:<32}{number:>9,}")
    return wrong + account.complaints()


@contextmanager
def _stack(home: Path) -> Iterator[tuple[Trail, Server, Server]]:
    """A Kafka and an Elasticsearch of this run's own, with templates and topics."""
    free = ports.free(4)
    prepared = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
    programs = prepared.programs()
    url = prepared.elasticsearch.url
    with (
        supervisor(home, programs, {}) as running,
        connect(ElasticsearchSettings(url=url), request_timeout=5.0) as client,
    ):
        running.start(*programs)
        bootstrap(client)
        bootstrap_servers = prepared.kafka.bootstrap_servers
        producer = Producer({"bootstrap.servers": bootstrap_servers, "log_level": 0})
        trail = Trail(bootstrap_servers, url, f"chaos-{uuid4().hex[:8]}", client, producer)
        trail.create_topics()
        broker, elasticsearch = (Server(running, program) for program in programs)
        yield trail, broker, elasticsearch


def _settle(trail: Trail) -> list[str]:
    try:
        eventually(lambda: trail.lag() == 0, "a lag of 0", within=_SETTLE_SECONDS)
    except AssertionError as error:
        return [str(error), trail.command("status").stdout]
    return []


def _take_stock(trail: Trail, account: Account) -> None:
    trail.client.indices.refresh(index=trail.indices)
    for hit in helpers.scan(trail.client, index=trail.indices, query={"_source": False}, size=10_000):
        account.found_document(hit["_id"])
    for record in DeadLetterReader(
        KafkaSettings(bootstrap_servers=trail.bootstrap), trail.dlq_topic, AuditProjection.name
    ):
        event_id = dict(record.headers() or [])["ce_id"]
        account.found_letter(event_id.decode() if isinstance(event_id, bytes) else str(event_id))
