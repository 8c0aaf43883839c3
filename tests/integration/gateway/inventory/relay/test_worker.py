"""The worker as a process: it serves, is killed and is followed by another, and ends when it is told to."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import urllib3

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from local import ports
from tests.support import topic
from tests.support.consumer_process import Start
from tests.support.gateway import AUTHORIZATION, Backing, Gateway, configured_gateway
from tests.support.inventory_change import read_change
from tests.support.trail import InventoryTrail
from tests.support.waiting import eventually, wait_until_up
from tests.support.worker import NewWorker, Worker


@pytest.fixture
def new_worker(gateway: Gateway, tmp_path: Path) -> Iterator[NewWorker]:
    """Start workers, which are ended after the test."""
    started: list[Worker] = []

    def begin() -> Worker:
        started.append(Worker(gateway, tmp_path / f"worker-{len(started)}.log"))
        return started[-1]

    yield begin
    for worker in started:
        if worker.is_running:
            worker.kill()


@pytest.fixture
def gateway(trail: InventoryTrail, backing: Backing, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose inventory has topics of its own, and one type with an index of its own."""
    index = trail.index_prefix.removesuffix("-")
    made = configured_gateway(
        tmp_path,
        backing,
        INVENTORY_TOPIC=trail.topic,
        INVENTORY_DLQ_TOPIC=trail.dlq_topic,
        GATEWAY_SEARCH_INDICES=index,
    )
    assert made.run("user", "octoAdmin", "--role", "admin").returncode == 0
    forget = "from gateway.inventory.models import InventoryType; InventoryType.objects.all().delete()"
    assert made.run("shell", "--no-imports", "-c", forget).returncode == 0
    with made.started():
        schema = {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": False}
        declared = _ask(made, "PUT", "/inventory-types/thing", {"schema": schema, "index": index})
        assert declared.status == 200, declared.data
        yield made
    with connect(ElasticsearchSettings(url=backing.elasticsearch_url)) as client:
        client.options(ignore_status=404).indices.delete_index_template(name="inventory-thing")


def _ask(gateway: Gateway, method: str, path: str, body: Any, **headers: str) -> urllib3.BaseHTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.request(
        method, f"{gateway.url}{path}", json=body, headers=AUTHORIZATION | named, retries=False, timeout=30.0
    )


def _write(gateway: Gateway, name: str) -> str:
    written = _ask(gateway, "PUT", f"/inventory/thing/{name}", {"name": name})
    assert written.status == 201, written.data
    return written.headers["X-Consistency-Token"]


def _finds(gateway: Gateway, name: str, token: str) -> bool:
    found = _ask(gateway, "POST", "/search", {"query": f"name = {name}"}, X_Consistency_Token=token, Prefer="wait=10")
    if found.status == 503 and found.json()["code"] == "index_behind":
        return False
    assert found.status == 200, found.data
    return bool(found.json()["count"] == 1)


def test_what_is_written_is_found_whichever_worker_is_killed(
    gateway: Gateway, trail: InventoryTrail, start: Start, new_worker: NewWorker
) -> None:
    start()
    workers = [new_worker(), new_worker()]
    for worker in workers:
        worker.wait_until_ready()
    for round_ in range(2):
        names = [f"r{round_}d{number}" for number in range(10)]
        tokens = [_write(gateway, name) for name in names]
        eventually(
            lambda: any(b"gateway_relay_leads 1.0" in each.get("/metrics").data for each in workers), "one leads"
        )
        leader = next(each for each in workers if b"gateway_relay_leads 1.0" in each.get("/metrics").data)
        workers.remove(leader)
        leader.kill()
        for name, token in zip(names, tokens, strict=True):
            eventually(partial(_finds, gateway, name, token), f"{name} is found")
        workers.append(new_worker())
        workers[-1].wait_until_ready()
    feeds: dict[int, str] = {}
    for record in topic.records(trail.bootstrap, trail.topic, range(6)):
        change = read_change(record.value())
        assert feeds.setdefault(change["feed"], change["change_id"]) == change["change_id"]
    assert sorted(feeds) == list(range(1, 21))
    for worker in workers:
        assert worker.stop() == 0
        assert "stopped" in worker.log.read_text(encoding="utf-8")


def test_an_index_that_elasticsearch_has_lost_is_made_again(
    gateway: Gateway, backing: Backing, start: Start, new_worker: NewWorker
) -> None:
    start()
    worker = new_worker()
    worker.wait_until_ready()
    for name in ("a", "b"):
        token = _write(gateway, name)
        eventually(partial(_finds, gateway, name, token), f"{name} is found")
    with connect(ElasticsearchSettings(url=backing.elasticsearch_url)) as client:
        for index in client.indices.get_alias(name=gateway.environment["GATEWAY_SEARCH_INDICES"]).body:
            client.indices.delete(index=index)
    token = _write(gateway, "c")
    for name in ("a", "b", "c"):
        eventually(partial(_finds, gateway, name, token), f"{name} is found again", 60)
    assert "has lost the indices of thing" in worker.log.read_text(encoding="utf-8")


def test_a_worker_waits_for_its_servers_and_says_which(gateway: Gateway, new_worker: NewWorker) -> None:
    closed = f"127.0.0.1:{ports.free(1)[0]}"
    gateway.environment = gateway.environment | {"KAFKA_BOOTSTRAP_SERVERS": closed}
    worker = new_worker()
    wait_until_up(f"http://127.0.0.1:{worker.port}/healthz")
    eventually(lambda: worker.get("/readyz").status == 503, "unreadiness")
    assert worker.get("/readyz").json()["dependencies"]["relay"] != "ok"
    assert worker.stop() == 0


def test_a_port_that_is_taken_is_one_line_and_status_2(gateway: Gateway) -> None:
    refused = gateway.run("worker", GATEWAY_WORKER_METRICS_PORT=gateway.url.rpartition(":")[2])
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("GATEWAY_WORKER_METRICS_HOST, GATEWAY_WORKER_METRICS_PORT: ")
    assert "Traceback" not in refused.stderr
