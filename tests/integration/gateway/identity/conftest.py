"""Parts of the tests of ``/auth/`` and ``/oauth/``."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from django.core import mail
from django.test import Client
from pydantic import SecretStr
from pytest_django import Settings

from gateway.http import rate_limits
from gateway.identity.models import User
from kit.kafka import KafkaSettings
from tests.support.identity import PASSWORD, Ask


@pytest.fixture(autouse=True)
def fresh_budgets() -> None:
    """Begin with no failures counted."""
    rate_limits.memory.clear()


@pytest.fixture
def user(stack: Settings) -> User:
    """The one known user, with a password."""
    del stack
    known = User.objects.get(username="octoAdmin")
    known.set_password(PASSWORD)
    known.save()
    return known


@pytest.fixture
def ask(user: User, client: Client) -> Ask:
    """Sends a request; first the token for its Authorization header, then its X-Request-ID."""
    del user

    def send(method: str, path: str, bearer: str | None = None, request_id: str = "r", /, **body: Any) -> Any:
        headers = {"X-Request-ID": request_id}
        if bearer is not None:
            headers["Authorization"] = bearer if " " in bearer else f"Bearer {bearer}"
        content = b"" if method == "GET" else orjson.dumps(body)
        return client.generic(method, path, content, "application/json", headers=headers)

    return send


class Mailbox:
    """The mails of the gateway, which are written when the test asks for them, as that is after the answer."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    @contextmanager
    def after(self, job: Callable[[], None]) -> Any:
        """Take a job, unless the block raises something."""
        yield
        self.jobs.append(job)

    def delivered(self) -> list[Any]:
        """Do the jobs, and return the mails that there are since the last call."""
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job()
        mails, mail.outbox = mail.outbox, []
        return mails


@pytest.fixture
def mailbox(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """The mails of a gateway that sends some, and lets people sign up."""
    stack.GATEWAY = stack.GATEWAY.model_copy(
        update={
            "mail_url": SecretStr("set"),
            "public_url": "https://sluice.example",
            "signup": True,
            "mail_rate": "1000/minute",
        }
    )
    box = Mailbox()
    monkeypatch.setattr("gateway.identity.account_views.outbox", lambda: box)
    in_memory = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr("gateway.identity.mail.read_mail_url", lambda _: (in_memory, {}))
    return box


@pytest.fixture
def without_trail(stack: Settings, closed_port: int) -> Callable[[], None]:
    """Takes Kafka and the spool away, when it is called."""

    def take_away() -> None:
        stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
        stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 0.5, "spool_bytes": 1})

    return take_away
