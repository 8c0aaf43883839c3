"""Live sockets beside a gateway and its worker, with topics of their own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import urllib3

from audit_sink.topics import topics
from contracts.console_event.topics import ConsoleTopicSettings
from contracts.query_event.topics import TopicSettings
from indexing.topics import PARTITIONS, create_topics
from kit.kafka import KafkaSettings
from tests.support import topic
from tests.support.gateway import Backing, Gateway, configured_gateway, gateway_database
from tests.support.live import Live, Socket, live_process

_PASSWORD = "correct horse battery staple"
_SET_UP = f"""
from gateway.identity.models import User
User.objects.all().delete()
for name, role in {{"ayse": "searcher", "octoAuditor": "auditor"}}.items():
    User.objects.create_user(name, "{_PASSWORD}", role=role)
"""
_TELL = """
from datetime import UTC, datetime
from django.db import transaction
from gateway.identity.models import User
from gateway.notify.inbox import Message, tell
from gateway.notify.models import Kind
from gateway.notify.wake_ups import _producer
user = User.objects.get(username={user!r})
for number in range({begin}, {end}):
    data = {{"number": number, "text": "x" * {length}}}
    with transaction.atomic():
        tell(Message(Kind.SAVED_CHANGED, f"source {{number}}", datetime.now(UTC), None, data), [user.pk])
_producer().flush(5)
"""
AYSE, AUDITOR = "ayse", "octoAuditor"


@dataclass(frozen=True, slots=True)
class Stack:
    """A gateway, the process of live sockets, and the names of their topics."""

    gateway: Gateway
    live: Live
    audit: str
    console: str

    def code(self, code: str) -> None:
        """Run code in a process of the gateway."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "shell", "--no-imports", "-c", code],
            env=self.gateway.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def tell(self, count: int, user: str = AYSE, begin: int = 0, length: int = 0) -> None:
        """Put messages into a user's inbox, a transaction each, with texts of some length."""
        self.code(_TELL.format(user=user, begin=begin, end=begin + count, length=length))

    def token(self, user: str = AYSE) -> str:
        """A new access token."""
        answer = self.ask("POST", "/auth/token", {"username": user, "password": _PASSWORD})
        assert answer.status == 200, answer.data
        token: str = answer.json()["access_token"]
        return token

    def ticket(self, kind: str, user: str = AYSE, token: str | None = None) -> str:
        """A new ticket, as the subprotocol of a socket."""
        headers = {"Authorization": f"Bearer {token or self.token(user)}"}
        answer = self.ask("POST", "/auth/tickets", {"for": kind}, **headers)
        assert answer.status == 201, answer.data
        return f"sluice.ticket.{answer.json()['ticket']}"

    def socket(self, path: str, user: str = AYSE) -> Socket:
        """Open a socket as a program, by a token."""
        return self.live.socket(path, Authorization=f"Bearer {self.token(user)}")

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """Ask the gateway."""
        return urllib3.request(
            method, f"{self.gateway.url}{path}", json=body, headers=headers, retries=False, timeout=30.0
        )


@contextmanager
def running_stack(home: Path, bootstrap: str, backing: Backing, kind: str) -> Iterator[Stack]:
    """A gateway and live sockets, on topics of their own; on PostgreSQL with the database user of live sockets."""
    name = uuid4().hex[:12]
    audit, console = TopicSettings(topic=f"live-{name}"), ConsoleTopicSettings(topic=f"wake-{name}")
    create_topics(KafkaSettings(bootstrap_servers=bootstrap), partial(topics, audit, console))
    topic.wait_for_leaders(bootstrap, audit.topic, range(PARTITIONS))
    topic.wait_for_leaders(bootstrap, console.topic, range(1))
    told = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "AUDIT_TOPIC": audit.topic, "CONSOLE_TOPIC": console.topic}
    with ExitStack() as ends:
        own = {}
        server = gateway_database(kind, backing, ends)
        if server is not None:
            own["GATEWAY_DATABASE_URL"] = server.url.replace("//sluice@", "//sluice_live@")
        gateway = configured_gateway(home, backing, server, **told)
        gateway.environment["GATEWAY_PUBLIC_URL"] = gateway.url
        assert gateway.run("shell", "--no-imports", "-c", _SET_UP).returncode == 0
        if server is not None:
            for reader in ("query-gateway", "live"):
                (home / reader).write_text("a password", encoding="utf-8")
            assert gateway.run("secure", "--passwords", str(home)).returncode == 0
        ends.enter_context(gateway.started())
        live = ends.enter_context(live_process(gateway, home / "live.log", **own))
        yield Stack(gateway, live, audit.topic, console.topic)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def either(
    request: pytest.FixtureRequest, backing: Backing, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The stack on each database."""
    home = tmp_path_factory.mktemp("live")
    with running_stack(home, backing.kafka_bootstrap, backing, request.param) as stack:
        yield stack


@pytest.fixture(scope="module")
def stack(backing: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack on SQLite."""
    home = tmp_path_factory.mktemp("live")
    with running_stack(home, backing.kafka_bootstrap, backing, "sqlite") as stack:
        yield stack
