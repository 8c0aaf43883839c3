"""Users who share what they save, and what they are told."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.identity.models import Role, User
from gateway.notify.models import Notification
from tests.unit.gateway.inventory.conftest import Ask, ask, trail

__all__ = ["Ask", "ask", "trail"]

Told = Callable[[str], list[dict[str, Any]]]
SEARCH: dict[str, Any] = {"title": "Linux", "query": 'OS.Type = "Linux"'}


@pytest.fixture
def owner(ask: Ask) -> User:
    """The user "ayse"; "ben", "cem" and the administrators "ada" and "root" are there too."""
    del ask
    User.objects.create(username="root", role=Role.ADMIN)
    for name in ("ben", "cem"):
        User.objects.create(username=name)
    return User.objects.create(username="ayse")


@pytest.fixture
def told(owner: User) -> Told:
    """Notifications in a user's inbox, the oldest first."""
    del owner

    def read(name: str) -> list[dict[str, Any]]:
        rows = Notification.objects.filter(recipient__username=name).order_by("number")
        return [dict(row.data) for row in rows]

    return read
