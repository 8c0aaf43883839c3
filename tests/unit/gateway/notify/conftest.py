"""Users with mail addresses, mail that stays in the test, and changes that are numbered without a relay."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from pytest_django import Settings

from gateway.identity.models import Role, User
from gateway.inventory.relay import outbox
from gateway.inventory.relay.lease import Lease
from gateway.notify import follower

Follow = Callable[..., None]


@pytest.fixture
def mailing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A gateway that sends mail to the memory of the test."""
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"mail_url": SecretStr("set")})
    in_memory = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr("gateway.identity.mail.read_mail_url", lambda _: (in_memory, {}))
    return settings


@pytest.fixture
def people(db: None, mailing: Settings) -> dict[str, User]:
    """Administrators "ada" and "bo", and the searcher "cem", each with a confirmed address; the adapter has none."""
    del db, mailing
    roles = {"ada": Role.ADMIN, "bo": Role.ADMIN, "cem": Role.SEARCHER}
    made = {
        name: User.objects.create(username=name, role=role, email=f"{name}@example.com", email_verified=True)
        for name, role in roles.items()
    }
    return made | {"adapter": User.objects.create(username="adapter", granted_indices=[])}


@pytest.fixture
def follow(people: dict[str, User]) -> Follow:
    """Number what is written, and tell of it, as at a time so many seconds from now."""
    del people
    lease = Lease("worker")
    assert lease.acquire()

    def work(seconds: float = 0.0) -> None:
        outbox.number(lease)
        while follower.turn(datetime.now(UTC) + timedelta(seconds=seconds)):
            pass

    return work
