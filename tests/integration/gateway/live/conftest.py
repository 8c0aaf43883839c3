"""Live sockets beside a gateway and its worker, with topics of their own."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
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
from tests.support.gateway import Backing, Gateway, configured_gateway
from tests.support.live import Live, live_process
from tests.support.postgresql import postgresql

_PASSWORD = "correct horse battery staple"
_SET_UP = f"""
from gateway.identity.models import User
User.objects.all().delete()
for name, role in {{"ayse": "searcher", "octoAuditor": "auditor"}}.items():
    User.objects.create_user(name, "{_PASSWORD}", role=role)
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
        done = self.gateway.run("shell", "--no-imports", "-c", code)
        assert done.returncode == 0, done.stderr

    def tell(self, count: int, user: str = AYSE, begin: int = 0) -> None:
        """Put messages into a user's inbox, a transaction each."""
        self.code(
            "from datetime import UTC, datetime\n"
            "from gateway.identity.models import User\n"
            "from gateway.notify.inbox import Message, tell\n"
            "from gateway.notify.models import Kind\n"
            "from gateway.notify.wake_ups import _producer\n"
            "from django.db import transaction\n"
            f"user = User.objects.get(username={user!r})\n"
            f"for number in range({begin}, {begin + count}):\n"
            "    with transaction.atomic():\n"
            "        tell(Message(Kind.SAVED_CHANGED, f'source {number}', datetime.now(UTC), None, {'n': number}), [user.pk])\n"
            "_producer().flush(5)\n"
        )

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

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """Ask the gateway."""
        return urllib3.request(
            method, f"{self.gateway.url}{path}", json=body, headers=headers, retries=False, timeout=30.0
        )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stack(
    request: pytest.FixtureRequest, backing: Backing, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A gateway and live sockets, on topics of this module's."""
    home, name = tmp_path_factory.mktemp("live"), uuid4().hex[:12]
    audit, console = TopicSettings(topic=f"live-{name}"), ConsoleTopicSettings(topic=f"wake-{name}")
    create_topics(KafkaSettings(bootstrap_servers=backing.kafka_bootstrap), partial(topics, audit, console))
    topic.wait_for_leaders(backing.kafka_bootstrap, audit.topic, range(PARTITIONS))
    topic.wait_for_leaders(backing.kafka_bootstrap, console.topic, range(1))
    with ExitStack() as running:
        more = {}
        if request.param == "postgresql":
            more["GATEWAY_DATABASE_URL"] = running.enter_context(postgresql()).url
        gateway = configured_gateway(home, backing, AUDIT_TOPIC=audit.topic, CONSOLE_TOPIC=console.topic, **more)
        gateway.environment["GATEWAY_PUBLIC_URL"] = gateway.url
        assert gateway.run("shell", "--no-imports", "-c", _SET_UP).returncode == 0
        running.enter_context(gateway.started())
        live = running.enter_context(live_process(gateway, home / "live.log"))
        yield Stack(gateway, live, audit.topic, console.topic)
