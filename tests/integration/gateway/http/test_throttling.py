"""Users and addresses that ask too often."""

import uuid
from base64 import b64encode
from ipaddress import ip_network

import pytest
from django.test import Client
from pytest_django import Settings

from gateway.http import rate_limits
from gateway.identity.models import User
from tests.support.gateway import FindEvent, FindEvents, Search, configure


@pytest.fixture
def ada(stack: Settings) -> dict[str, str]:
    """The headers of a user whom no other test throttles, at an address of that kind."""
    del stack
    name = uuid.uuid4().hex
    User.objects.create(username=name)
    return {"Authorization": f"Octoxlabs {b64encode(name.encode()).decode()}", "X-Request-ID": name}


def test_a_user_who_asks_too_often_is_told_when_to_come_back(
    search: Search, stack: Settings, ada: dict[str, str], find_event: FindEvent
) -> None:
    configure(stack, user_rate="2/hour")
    assert [search(headers=ada).status_code for _ in range(2)] == [200, 200]
    refused = search(headers=ada)
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (429, "throttled")
    assert 0 < int(refused["Retry-After"]) <= 3600
    event = find_event(problem["query_id"])
    assert event is not None
    assert event["event_type"] == "query.throttled"
    assert search().status_code == 200


def test_typing_has_a_budget_of_its_own(search: Search, client: Client, stack: Settings, ada: dict[str, str]) -> None:
    rate_limits.memory.clear()
    configure(stack, user_rate="1/hour", typing_rate="2/hour")

    def typed(path: str) -> int:
        body = {"query": "Site = ", "cursor": 7} if path == "/complete" else {"query": "Site = ankara"}
        return client.post(path, body, content_type="application/json", headers=ada).status_code

    assert [typed(path) for path in ("/complete", "/translate", "/complete")] == [200, 200, 429]
    assert [search(headers=ada).status_code for _ in range(2)] == [200, 429]


def test_refusals_beyond_a_budget_are_answered_and_not_recorded(
    search: Search, stack: Settings, ada: dict[str, str], find_events: FindEvents
) -> None:
    rate_limits.memory.clear()
    configure(stack, user_rate="1/hour", recorded_refusals="1/day")
    answers = [search(headers=ada) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 429]
    throttled = [event for event in find_events(ada["X-Request-ID"]) if event["event_type"] == "query.throttled"]
    assert ["query_id" in answer.json() for answer in answers[1:]] == [True, False, False]
    assert [event["event_id"] for event in throttled] == [answers[1].json()["query_id"]]


@pytest.mark.parametrize(
    ("method", "path", "event_type"),
    [
        ("GET", "/fields", "query.throttled"),
        ("POST", "/translate", "query.throttled"),
        ("POST", "/complete", "query.throttled"),
        ("GET", "/api/ping", "query.throttled"),
        ("GET", "/auth/me", "auth.throttled"),
    ],
)
def test_a_throttled_user_is_on_the_trail_whatever_was_asked_for(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # fixtures
    method: str, path: str, event_type: str, client: Client, stack: Settings, ada: dict[str, str], find_event: FindEvent
) -> None:
    configure(stack, user_rate="1/hour", typing_rate="1/hour")
    client.generic(method, path, headers=ada)
    refused = client.generic(method, path, headers=ada)
    assert refused.status_code == 429
    event = find_event(refused.json()["query_id"])
    assert event is not None
    assert (event["event_type"], event["user_id"]) == (event_type, ada["X-Request-ID"])


@pytest.mark.parametrize(("path", "event_type"), [("/fields", "query.throttled"), ("/auth/me", "auth.throttled")])
def test_a_throttled_address_is_on_the_trail_without_the_name_that_it_claims(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # fixtures
    path: str, event_type: str, client: Client, stack: Settings, ada: dict[str, str], find_event: FindEvent
) -> None:
    configure(stack, address_rate="1/hour")
    address = f"2001:db8:{uuid.uuid4().hex[:4]}:1::7"
    client.get(path, headers=ada, REMOTE_ADDR=address)
    refused = client.get(path, headers=ada, REMOTE_ADDR=address)
    assert (refused.status_code, int(refused["Retry-After"]) > 0) == (429, True)
    event = find_event(refused.json()["query_id"])
    assert event is not None
    assert (event["event_type"], event["user_id"]) == (event_type, None)
    assert event["metadata"]["client_ip"] == address
    assert event["data"]["error"]["code"] == "throttled"


@pytest.mark.parametrize("path", ["/nowhere", "/schema/", "/docs/", "/.well-known/jwks.json"])
@pytest.mark.usefixtures("stack")
def test_a_throttled_address_is_not_on_the_trail_for_what_is_never_recorded(
    path: str, client: Client, stack: Settings
) -> None:
    configure(stack, address_rate="1/hour")
    address = f"2001:db8:{uuid.uuid4().hex[:4]}:2::7"
    client.get(path, REMOTE_ADDR=address)
    refused = client.get(path, REMOTE_ADDR=address)
    assert refused.status_code == 429
    assert "query_id" not in refused.json()


@pytest.mark.usefixtures("stack")
def test_an_address_that_asks_too_often_is_refused_whoever_asks_and_still_sees_how_the_gateway_is(
    client: Client, stack: Settings
) -> None:
    configure(stack, address_rate="2/hour")
    address = "198.51.100.7"
    answers = [client.get("/fields", REMOTE_ADDR=address) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[2].json()["code"] == "throttled"
    assert int(answers[2]["Retry-After"]) > 0
    assert answers[2]["X-Request-ID"]
    assert client.get("/healthz", REMOTE_ADDR=address).status_code == 200
    assert client.get("/fields", REMOTE_ADDR="198.51.100.8").status_code == 401


def test_behind_a_trusted_proxy_the_client_is_counted_and_recorded_and_not_the_proxy(
    search: Search, stack: Settings, find_event: FindEvent
) -> None:
    configure(stack, trusted_proxies=(ip_network("127.0.0.0/8"),), address_rate="1/hour")
    one, other = {"X-Forwarded-For": "6.6.6.6, 203.0.113.1"}, {"X-Forwarded-For": "6.6.6.6, 203.0.113.2"}
    first = search(headers=one)
    assert first.status_code == 200
    assert search(headers=one).status_code == 429
    assert search(headers=other).status_code == 200
    event = find_event(first.json()["query_id"])
    assert event is not None
    assert event["metadata"]["client_ip"] == "203.0.113.1"
