"""A gateway on SQLite or PostgreSQL whose inventory has topics of its own, with mail and webhooks to real servers."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from tests.support.gateway import Backing, Gateway, configured_gateway, gateway_database, kill
from tests.support.mailbox import Mailbox, mail_server
from tests.support.trail import InventoryTrail, NewTrail
from tests.support.webhook_receiver import Receiver, webhook_receiver
from tests.support.worker import NewWorker, Worker

TYPE = "thing"
TOKENS = {"octoAdmin": "b2N0b0FkbWlu", "octoOther": "b2N0b090aGVy"}
"""Of the administrators; both have confirmed addresses."""
_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
    "additionalProperties": False,
}
_SET_UP = """
from gateway.identity.models import User
from gateway.inventory.models import InventoryType
InventoryType.objects.all().delete()
for name in ("octoAdmin", "octoOther"):
    User.objects.update_or_create(
        username=name, defaults={"role": "admin", "email": f"{name.lower()}@example.com", "email_verified": True}
    )
"""


@dataclass(frozen=True, slots=True)
class Telling:
    """A gateway, and the servers that it tells by."""

    gateway: Gateway
    mailbox: Mailbox
    mail_port: int
    receiver: Receiver

    def ask(self, method: str, path: str, body: Any = None, user: str = "octoAdmin", **headers: str) -> Any:
        """Ask the gateway as one of the administrators; what is no JSON is sent as it is."""
        named = {"Authorization": f"Octoxlabs {TOKENS[user]}", "Content-Type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"body": body} if isinstance(body, bytes) else {"json": body}
        url = f"{self.gateway.url}{path}"
        return urllib3.request(method, url, headers=named, retries=False, timeout=30.0, **sent)

    def put(self, document_id: str, **members: Any) -> None:
        """Write a document as "octoAdmin"."""
        written = self.ask("PUT", f"/inventory/{TYPE}/{document_id}", members, If_Match="*")
        if written.status == 412:
            written = self.ask("PUT", f"/inventory/{TYPE}/{document_id}", members)
        assert written.status in (200, 201), written.data

    def inbox(self, user: str = "octoOther", after: int = 0) -> list[dict[str, Any]]:
        """The notifications of a user."""
        answer = self.ask("GET", f"/notifications?after={after}&size=100", user=user)
        assert answer.status == 200, answer.data
        found: list[dict[str, Any]] = answer.json()["notifications"]
        return found

    def deliveries(self, state: str) -> list[dict[str, Any]]:
        """Deliveries in a state."""
        found: list[dict[str, Any]] = self.ask("GET", f"/deliveries?state={state}&size=100").json()["deliveries"]
        return found

    def make_due(self) -> None:
        """Let time pass: what waits to be tried again, or is claimed, is due now."""
        self.gateway.change_rows("UPDATE notify_delivery SET next_at = '2026-01-01 00:00:00' WHERE state = 'pending'")


@pytest.fixture(params=["sqlite", "postgresql"])
def telling(request: pytest.FixtureRequest, new_trail: NewTrail, backing: Backing, tmp_path: Path) -> Iterator[Telling]:
    """The gateway; "octoOther" is told of what "octoAdmin" does."""
    trail = new_trail("inventory")
    assert isinstance(trail, InventoryTrail)
    with ExitStack() as running:
        mailbox, port = running.enter_context(mail_server())
        receiver = running.enter_context(webhook_receiver(tmp_path))
        gateway = configured_gateway(
            tmp_path,
            backing,
            gateway_database(request.param, backing, running),
            INVENTORY_TOPIC=trail.topic,
            INVENTORY_DLQ_TOPIC=trail.dlq_topic,
            GATEWAY_MAIL_URL=f"smtp://127.0.0.1:{port}",
            GATEWAY_WEBHOOK_NETWORKS="127.0.0.0/8,::1/128",
            GATEWAY_WEBHOOK_CA_CERTS=str(receiver.ca_certs),
        )
        assert gateway.run("shell", "--no-imports", "-c", _SET_UP).returncode == 0
        running.enter_context(gateway.started())
        it = Telling(gateway, mailbox, port, receiver)
        index = trail.index_prefix.removesuffix("-")
        declared = it.ask(
            "PUT", f"/inventory-types/{TYPE}", {"schema": _SCHEMA, "index": index, "public": True, "notify": ["admin"]}
        )
        assert declared.status == 200, declared.data
        yield it
    with connect(ElasticsearchSettings(url=backing.elasticsearch_url)) as client:
        client.options(ignore_status=404).indices.delete_index_template(name=f"inventory-{TYPE}")


@pytest.fixture
def new_worker(telling: Telling, tmp_path: Path) -> Iterator[NewWorker]:
    """Start workers, which are ended after the test."""
    started: list[Worker] = []

    def begin() -> Worker:
        started.append(Worker(telling.gateway, tmp_path / f"worker-{len(started)}.log"))
        return started[-1]

    yield begin
    for worker in started:
        if worker.is_running:
            kill(worker.process)
            worker.kill()
