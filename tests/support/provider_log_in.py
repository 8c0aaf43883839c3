"""A browser that logs in by a provider, as the tests of providers send it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
import urllib3
from django.test import Client
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from pytest_django import Settings

from tests.support.certified_provider import CertifiedProvider
from tests.support.hostile_provider import CLIENT_ID, CLIENT_SECRET, HostileProvider, hostile_provider

_NUMBERS = count(1)


class Browser:
    """A browser with cookies of its own."""

    def __init__(self, name: str = "corp") -> None:
        self.name = name
        self.client = Client()

    def begin(self, request_id: str = "begin", **parameters: str) -> Any:
        """Ask the gateway to begin a log-in."""
        return self.client.get(f"/auth/{self.name}?{urlencode(parameters)}", headers={"X-Request-ID": request_id})

    def choose(self, begun: Any, person: str = "ada") -> str:
        """Choose a person at the provider; gives the address that it sends the browser back to."""
        assert begun.status_code == 302, begun.content
        return self.choose_at(begun["Location"], person)

    def choose_at(self, url: str, person: str = "ada") -> str:
        """The same at an address of the provider."""
        body = urlencode({"subject": person})
        answer = urllib3.request("POST", url, body=body, redirect=False, timeout=10.0)
        assert answer.status == 303, answer.data
        return answer.headers["Location"]

    def come_back(self, url: str, request_id: str = "back") -> Any:
        """Follow the provider's redirect to the gateway."""
        parts = urlsplit(url)
        return self.client.get(f"{parts.path}?{parts.query}", headers={"X-Request-ID": request_id})

    def log_in(self, person: str = "ada", request_id: str = "back", **parameters: str) -> Any:
        """All of it; the answer is the callback's."""
        return self.come_back(self.choose(self.begin(**parameters), person), request_id)


def parameters_of(url: str) -> dict[str, str]:
    """Parameters of an address, each given once."""
    return {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}


@contextmanager
def providing(stack: Settings, key: RSAKey) -> Iterator[HostileProvider]:
    """A provider that the gateway takes, of which nothing is kept yet, and whose people all become users."""
    with hostile_provider(key) as served:
        configure_provider(stack, served, create="always")
        yield served


def configure_provider(stack: Settings, provider: HostileProvider | CertifiedProvider, **members: Any) -> None:
    """Let the gateway take the provider under the name corp, with these members of the table.

    Each table is another one, so that nothing is kept of a provider that has had the same address.
    """
    corp = {
        "label": f"Corp {next(_NUMBERS)}",
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        **members,
    }
    stack.GATEWAY = stack.GATEWAY.model_copy(
        update={
            "providers": SecretStr(orjson.dumps({"corp": corp}).decode()),
            "loopback_providers": True,
            "public_url": "https://sluice.example",
        }
    )
