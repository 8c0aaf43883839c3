"""Names of the gateway under which a client may ask."""

import pytest
from django.test import Client

FOREIGN = ["10.1.2.3:8000", "pod-7.example", "[fe80::1]:8000", "no host at all/"]


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_a_monitor_of_the_gateway_may_ask_for_any_host(path: str, host: str) -> None:
    assert Client(HTTP_HOST=host).get(path).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/search", "/docs/", "/schema/", "/auth/me", "/.well-known/jwks.json", "/healthz/"])
def test_everything_else_is_held_to_the_allowed_hosts(path: str, host: str) -> None:
    answer = Client(HTTP_HOST=host).get(path)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
