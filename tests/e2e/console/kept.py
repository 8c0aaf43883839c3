"""Searches that the demo users save for one test; asked for by unsigned headers, which spare a log-in each time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import urllib3

from local.inventory import authorization
from local.services import OPERATOR, USER, Services
from tests.support.embedded_services import run_gateway

AUDITOR = "octoAuditor"
_WATCHES_DUE = """
from datetime import UTC, datetime
from gateway.saved.models import Watch
Watch.objects.update(next_at=datetime.now(UTC))
"""
Save = Callable[..., dict[str, Any]]


def ask(
    services: Services, method: str, path: str, name: str = USER, /, *, if_match: str | None = None, **body: Any
) -> Any:
    """Ask the gateway's API as a demo user; gives the answer's JSON."""
    headers = {
        "Authorization": authorization(name),
        "Content-Type": "application/json",
        **({} if if_match is None else {"If-Match": if_match}),
    }
    sent = orjson.dumps(body) if body else None
    answer = urllib3.request(method, services.gateway_url + path, headers=headers, body=sent, timeout=30.0)
    assert answer.status < 300, answer.data
    return orjson.loads(answer.data) if answer.data else None


def let_watches_be_due(services: Services) -> None:
    """Let time pass until every watched search is to be looked at again."""
    run_gateway(services, "shell", "--no-imports", "-c", _WATCHES_DUE)


@contextmanager
def kept_nowhere(services: Services) -> Iterator[None]:
    """Begin and end with nothing saved."""
    _clear(services)
    yield
    _clear(services)


def saving(services: Services) -> Save:
    """Save searches of the demo user's."""

    def made(title: str = "Linux", **members: Any) -> dict[str, Any]:
        body = {"title": title, "query": "OS.Type = Linux", "index": "devices"} | members
        saved: dict[str, Any] = ask(services, "POST", "/searches/", USER, **body)
        return saved

    return made


def _clear(services: Services) -> None:
    """Delete what the demo users have saved."""
    for name in (USER, AUDITOR, OPERATOR):
        for kind in ("searches", "collections"):
            while own := [
                each for each in ask(services, "GET", f"/{kind}/?size=100", name)[kind] if each["role"] == "owner"
            ]:
                for each in own:
                    ask(services, "DELETE", f"/{kind}/{each['id']}", name, if_match="*")
