"""The worker looks at watched searches and sends the events of what is saved, whatever is killed or down meanwhile."""

import base64
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
from elasticsearch import Elasticsearch

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from local import ports
from tests.support.gateway import Backing, FindEvent, Gateway, configured_gateway, gateway_database, kill
from tests.support.trail import InventoryTrail, NewTrail
from tests.support.waiting import eventually
from tests.support.worker import Worker

_INDEX = "devices-saved"


@dataclass(frozen=True, slots=True)
class _System:
    """A gateway that is up, whose user watches searches of an index of the test's."""

    gateway: Gateway
    client: Elasticsearch
    home: Path

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask as the user."""
        named = {"Authorization": f"Octoxlabs {base64.b64encode(b'octoAdmin').decode()}"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = urllib3.request(method, self.gateway.url + path, headers=named, json=body, retries=False, timeout=30.0)
        assert answer.status < 300, answer.data
        return answer.json() if answer.data else None

    def write(self, number: str) -> None:
        """Write a device in Ankara."""
        self.client.index(index=_INDEX, id=number, document={"Site": "Ankara"}, refresh=True)

    def make_due(self) -> None:
        """Let time pass: every watch is due now."""
        self.gateway.change_rows("UPDATE saved_watch SET next_at = '2026-01-01 00:00:00'")

    def watches(self) -> list[Any]:
        """How the user's searches are watched."""
        return [each["watch"] for each in self.ask("GET", "/searches/?size=100")["searches"]]

    def told(self) -> list[Any]:
        """Notifications that watches have sent to the user."""
        rows = self.ask("GET", "/notifications?size=100")["notifications"]
        return [each["data"] for each in rows if each["kind"] == "watch.found"]

    def worker(self, name: str, **variables: str) -> Worker:
        """Start a worker."""
        return Worker(Gateway(self.gateway.environment | variables), self.home / f"{name}.log")


@pytest.fixture(params=["sqlite", "postgresql"])
def system(request: pytest.FixtureRequest, new_trail: NewTrail, backing: Backing, tmp_path: Path) -> Iterator[_System]:
    """The system."""
    trail = new_trail("inventory")
    assert isinstance(trail, InventoryTrail)
    with ExitStack() as running:
        client = running.enter_context(connect(ElasticsearchSettings(url=backing.elasticsearch_url)))
        client.indices.create(index=_INDEX, mappings={"properties": {"Site": {"type": "keyword"}}})
        running.callback(client.indices.delete, index=_INDEX)
        own = {"INVENTORY_TOPIC": trail.topic, "INVENTORY_DLQ_TOPIC": trail.dlq_topic, "GATEWAY_SEARCH_INDICES": _INDEX}
        gateway = configured_gateway(tmp_path, backing, gateway_database(request.param, backing, running), **own)
        running.enter_context(gateway.started())
        yield _System(gateway, client, tmp_path)


def test_a_worker_that_is_killed_tells_each_change_once(system: _System) -> None:
    for number in range(20):
        saved = system.ask("POST", "/searches/", {"title": f"{number}", "query": "Site = Ankara", "index": _INDEX})
        system.ask("PUT", f"/searches/{saved['id']}/watch")
    first = system.worker("first")
    try:
        eventually(lambda: all(each["looked_at"] for each in system.watches()), "all were looked at")
        assert system.told() == []
        system.write("d1")
        system.make_due()
        eventually(lambda: len(system.told()) > 2, "some are told")
    finally:
        kill(first.process)
    before = len(system.told())
    second = system.worker("second")
    try:
        eventually(lambda: len(system.told()) == 20, "all are told")
        looked = {each["looked_at"] for each in system.watches()}
        system.make_due()
        eventually(lambda: not looked & {each["looked_at"] for each in system.watches()}, "all were looked at again")
    finally:
        kill(second.process)
    told = system.told()
    assert before <= 20 == len(told) == len({each["id"] for each in told})
    assert all((each["new"], each["gone"], each["ids"]) == (1, 0, ["d1"]) for each in told)


def _metrics(worker: Worker) -> bytes:
    return bytes(worker.get("/metrics").data)


def test_events_wait_for_kafka_and_are_on_the_trail_once(
    system: _System, find_event: FindEvent, closed_port: int
) -> None:
    saved = system.ask("POST", "/searches/", {"title": "Linux", "query": "", "index": _INDEX})
    code = "from gateway.saved.models import OutboxEvent; print(*OutboxEvent.objects.values_list('pk', flat=True))"

    def waiting() -> list[str]:
        return system.gateway.run("shell", "--no-imports", "-c", code).stdout.split()

    [event_id] = waiting()
    cut_off = system.worker("cut-off", KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{closed_port}")
    try:
        eventually(lambda: ports.answers(cut_off.port), "the worker is up")
        eventually(
            lambda: re.search(
                rb"^gateway_saved_events_oldest_unsent_seconds(?! 0\.0$) \S+$", _metrics(cut_off), re.MULTILINE
            ),
            "that an event waits is measured",
        )
    finally:
        kill(cut_off.process)
    assert waiting() == [event_id]
    worker = system.worker("worker")
    try:
        eventually(lambda: waiting() == [], "the event is sent")
    finally:
        kill(worker.process)
    event = eventually(lambda: find_event(event_id), "it is on the trail")
    assert (event["event_type"], event["key"], event["data"]["target"]) == (
        "saved.changed",
        b"octoAdmin",
        {"type": "search", "id": saved["id"], "version": 1, "changed": [""]},
    )
