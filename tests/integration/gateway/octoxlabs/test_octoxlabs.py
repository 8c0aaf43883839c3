"""The paths of the vendor's client against the real translator, Elasticsearch and Kafka."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from django.test import Client
from django.utils import timezone
from elasticsearch.helpers import bulk
from pytest_django import Settings

from elastic.demo_inventory import NAMED
from gateway.identity.access_tokens import read
from gateway.identity.api_keys import issue_key
from gateway.identity.models import Role, User
from gateway.search.models import OpenCursor
from tests.support.gateway import INDEX, FindEvents, elasticsearch_client
from tests.support.problems import is_problem

Ask = Callable[..., Any]


@pytest.fixture
def ask(stack: Settings, client: Client) -> Ask:
    """Sends a request as octoAdmin."""
    del stack

    def send(path: str, body: Any = None, method: str = "POST", request_id: str = "a-test") -> Any:
        return client.generic(
            method,
            path,
            b"" if body is None else orjson.dumps(body),
            "application/json",
            headers={"Authorization": "Octoxlabs b2N0b0FkbWlu", "X-Request-ID": request_id},
        )

    return send


@pytest.fixture
def many(stack: Settings) -> int:
    """An index in the place of the inventory, with this many devices."""
    index, number = "devices-vendor-many", 10_001
    bulk(
        elasticsearch_client(),
        ({"_index": index, "_id": str(n), "Hostname": f"h{n}"} for n in range(number)),
        refresh=True,
    )
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"search_indices": (index,)})
    return number


def test_an_api_key_brings_a_token_for_half_a_day_because_the_client_asks_once(
    stack: Settings, client: Client, find_events: FindEvents
) -> None:
    del stack
    key, text = issue_key(User.objects.get(username="octoAdmin"), "vendor")
    request_id = str(uuid.uuid4())
    response = client.post(
        "/api/token/token", {"token": text}, content_type="application/json", headers={"X-Request-ID": request_id}
    )
    now = datetime.now(UTC)
    token = read(response.json()["access"], now)
    assert (token.username, token.session) == ("octoAdmin", key.id)
    assert 11 * 3600 < token.expires_at - now.timestamp() <= 12 * 3600
    (event,) = find_events(request_id)
    assert (event["event_type"], event["user_id"]) == ("auth.succeeded", "octoAdmin")
    assert text not in str(event)


def test_a_token_lives_no_longer_than_its_api_key(stack: Settings, client: Client) -> None:
    del stack
    now = datetime.now(UTC)
    user = User.objects.get(username="octoAdmin")
    _, text = issue_key(user, "vendor", expires_at=now + timedelta(minutes=1))
    token = client.post("/api/token/token", {"token": text}, content_type="application/json").json()["access"]
    assert read(token, now).expires_at <= now.timestamp() + 60


@pytest.mark.parametrize("token", ["", "no key", "sluice_0123456789abcdef_" + "x" * 43, "\ud83d\ude00", "x" * 512])
def test_text_that_is_no_api_key_brings_no_token(token: str, stack: Settings, client: Client) -> None:
    del stack
    response = client.post("/api/token/token", {"token": token}, content_type="application/json")
    assert response.status_code in (400, 401)
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code == 401) == ("WWW-Authenticate" in response)


def test_a_revoked_key_ends_the_tokens_that_it_brought(stack: Settings, client: Client) -> None:
    del stack
    key, text = issue_key(User.objects.get(username="octoAdmin"), "vendor")
    token = client.post("/api/token/token", {"token": text}, content_type="application/json").json()["access"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/ping", headers=headers).status_code == 200
    assert client.delete(f"/auth/keys/{key.id}", headers=headers).status_code == 204
    assert client.get("/api/ping", headers=headers).status_code == 401


def test_a_ping_tells_known_callers_alone_that_all_is_well(ask: Ask, client: Client) -> None:
    assert ask("/api/ping", method="GET").json() == {"pong": "ok"}
    assert is_problem(client.get("/api/ping"), 401, "unauthenticated")


def test_the_last_discovery_is_the_index_since_it_was_made(ask: Ask) -> None:
    discovery = ask("/discoveries/last", method="GET").json()
    start, end = (datetime.fromisoformat(discovery.pop(name)) for name in ("start_time", "end_time"))
    assert discovery == {"id": 1, "status": 2, "progress": 100.0}
    assert start < end <= datetime.now(UTC)
    settings = elasticsearch_client().indices.get_settings(index=INDEX, flat_settings=True)[INDEX]["settings"]
    assert start.timestamp() * 1000 == int(settings["index.creation_date"])


def test_every_value_of_a_device_is_a_list_under_the_name_that_a_query_knows(ask: Ask) -> None:
    answer = ask("/devices/devices", {"query": "Hostname = octoxlabs*", "size": 5}).json()
    assert set(answer) == {"count", "results", "scroll_id"}
    assert (answer["count"], len(answer["results"]), answer["scroll_id"]) == (NAMED, 5, None)
    for device in answer["results"]:
        assert all(isinstance(value, list) for value in device.values())
        assert ask("/devices/devices", {"query": f"OS.Type = {device['OS.Type'][0]}"}).json()["count"] > 0


def test_fields_and_ordering_are_those_that_were_asked_for(ask: Ask) -> None:
    body = {
        "query": "Hostname = octoxlabs*",
        "fields": ["Hostname", "OS.Type"],
        "ordering": [{"field": "Hostname", "order": "desc"}],
    }
    results = ask("/devices/devices", body).json()["results"]
    assert [device["Hostname"] for device in results] == [[f"octoxlabs{n:02}"] for n in range(NAMED, 0, -1)]
    assert all(set(device) == {"Hostname", "OS.Type"} for device in results)


def test_no_fields_are_all_fields(ask: Ask) -> None:
    every = ask("/devices/devices", {"size": 1, "fields": None}).json()
    assert ask("/devices/devices", {"size": 1, "fields": []}).json() == every
    assert len(every["results"][0]) > 10


def test_pages_follow_each_other(ask: Ask) -> None:
    body = {"query": "Hostname = octoxlabs*", "size": 5, "ordering": [{"field": "Hostname"}]}
    pages = [ask("/devices/devices", body | {"page": page}).json()["results"] for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [5, 5, 2, 0]
    names = [device["Hostname"][0] for page in pages for device in page]
    assert names == sorted(set(names))


def test_a_page_beyond_ten_thousand_devices_names_scrolling(ask: Ask) -> None:
    response = ask("/devices/devices", {"page": 11, "size": 1000})
    assert is_problem(response, 400, "malformed")
    assert "search_scroll_devices" in response.json()["detail"]


def test_the_count_is_exact_beyond_ten_thousand_for_a_client_that_cannot_be_told_otherwise(ask: Ask, many: int) -> None:
    assert ask("/devices/devices", {"size": 1}).json()["count"] == many


@pytest.mark.parametrize("size", [5, 6, 12, 100])
def test_a_scroll_brings_every_device_once_then_an_empty_page_and_then_no_id(size: int, ask: Ask) -> None:
    body = {"query": "Hostname = octoxlabs*", "scrollable": True, "size": size, "ordering": [{"field": "Hostname"}]}
    found, scroll_id = [], None
    while results := (answer := ask("/devices/devices", body | {"scroll_id": scroll_id}).json())["results"]:
        assert answer["count"] == NAMED
        scroll_id = answer["scroll_id"]
        assert scroll_id is not None
        found += [device["Hostname"][0] for device in results]
    assert found == [f"octoxlabs{number:02}" for number in range(1, NAMED + 1)]
    assert (answer["count"], answer["scroll_id"]) == (NAMED, None)


def test_a_scroll_that_finds_nothing_is_over_at_once(ask: Ask) -> None:
    answer = ask("/devices/devices", {"query": "Hostname = nobody", "scrollable": True}).json()
    assert answer == {"count": 0, "results": [], "scroll_id": None}


def test_a_scroll_id_that_was_not_given_out_is_refused(ask: Ask) -> None:
    refused = ask("/devices/devices", {"scrollable": True, "scroll_id": "mine"})
    assert is_problem(refused, 400, "malformed")
    assert refused.json()["detail"].startswith("scroll_id: ")
    assert "cursor" not in refused.json()["detail"]


def test_a_scroll_that_was_left_alone_for_too_long_is_over(ask: Ask) -> None:
    body = {"scrollable": True, "size": 1}
    scroll_id = ask("/devices/devices", body).json()["scroll_id"]
    OpenCursor.objects.update(expires_at=timezone.now())
    refused = ask("/devices/devices", body | {"scroll_id": scroll_id})
    assert is_problem(refused, 409, "cursor_expired")
    assert "without a scroll_id" in refused.json()["detail"]


def test_a_scroll_reaches_every_device_beyond_ten_thousand(ask: Ask, many: int) -> None:
    found: set[str] = set()
    body: dict[str, Any] = {"scrollable": True, "size": 1000, "fields": ["Hostname"]}
    while results := (answer := ask("/devices/devices", body).json())["results"]:
        found.update(device["Hostname"][0] for device in results)
        body["scroll_id"] = answer["scroll_id"]
    assert len(found) == answer["count"] == many


def test_a_device_is_found_by_its_hostname(ask: Ask) -> None:
    device = ask("/devices/devices/octoxlabs01", {"index_id": 1}).json()
    assert device["Hostname"] == ["octoxlabs01"]
    (same,) = ask("/devices/devices", {"query": "Hostname = octoxlabs01"}).json()["results"]
    assert device == same


@pytest.mark.parametrize(
    "hostname",
    ["octoxlabs", "octoxlabs*", "*", '" OR Hostname = octoxlabs01 OR Hostname = "', "\\", "\n", "\0", "..", "\udcff"],
)
def test_a_hostname_is_taken_as_it_is_and_never_as_a_query(hostname: str, ask: Ask) -> None:
    assert is_problem(
        ask(f"/devices/devices/{quote(hostname, safe='', errors='surrogateescape')}", {}), 404, "not_found"
    )


@pytest.mark.parametrize("hostname", ['"', "\\", 'a\\"b', "two words", "*", "çıktı", "a;b", "a%20b"])
def test_every_hostname_that_is_there_is_found(hostname: str, ask: Ask, stack: Settings) -> None:
    index = "devices-vendor-names"
    elasticsearch_client().index(index=index, id=hostname, document={"Hostname": hostname}, refresh=True)
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"search_indices": (index,)})
    assert ask(f"/devices/devices/{quote(hostname, safe='', errors='surrogateescape')}", {}).json() == {
        "Hostname": [hostname]
    }


@pytest.mark.parametrize("path", ["/devices/devices", "/devices/devices/octoxlabs01"])
def test_there_is_one_discovery(path: str, ask: Ask) -> None:
    assert ask(path, {"index_id": 1}).status_code == 200
    assert is_problem(ask(path, {"index_id": 2}), 404, "not_found")


def test_a_rejected_query_is_a_problem_with_its_place(ask: Ask) -> None:
    response = ask("/devices/devices", {"query": "Hostnme = a"})
    assert is_problem(response, 400, "unknown_field")
    assert (response.json()["position"], response.json()["end"]) == (0, 7)


@pytest.mark.parametrize("body", [[], "text", {"ordering": ["Hostname"]}, {"ordering": [{"field": "{0}"}]}])
def test_a_body_that_breaks_the_contract_is_a_400(body: Any, ask: Ask) -> None:
    assert ask("/devices/devices", body).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "event"),
    [
        (
            "/devices/devices",
            {"query": "Hostname = octoxlabs*"},
            ("query.executed", "Hostname = octoxlabs*", NAMED, 200),
        ),
        ("/devices/devices", {"query": "Hostnme = a"}, ("query.rejected", "Hostnme = a", None, 400)),
        ("/devices/devices", {"query": "", "index_id": 2}, ("query.rejected", "", None, 404)),
        ("/devices/devices/octoxlabs01", {}, ("query.executed", 'Hostname = "octoxlabs01"', 1, 200)),
        ("/devices/devices/nobody", {}, ("query.rejected", 'Hostname = "nobody"', 0, 404)),
    ],
)
def test_a_search_or_detail_leaves_one_event_that_says_what_was_answered(
    path: str, body: Any, event: tuple[Any, ...], ask: Ask, find_events: FindEvents
) -> None:
    request_id = str(uuid.uuid4())
    ask(path, body, request_id=request_id)
    (found,) = find_events(request_id)
    data = found["data"]
    assert (found["event_type"], data["query"], data["hits"], data["status"]) == event
    assert found["user_id"] == "octoAdmin"


def test_an_auditor_who_may_search_no_devices_is_refused_and_never_gets_the_audit_trail(ask: Ask) -> None:
    User.objects.update(role=Role.AUDITOR, granted_indices=[])
    for method, path in (
        ("POST", "/devices/devices"),
        ("POST", "/devices/devices/octoxlabs01"),
        ("GET", "/discoveries/last"),
    ):
        assert is_problem(ask(path, {}, method), 403, "forbidden"), path


def test_a_ping_and_the_discovery_leave_no_event(ask: Ask, find_events: FindEvents) -> None:
    request_id = str(uuid.uuid4())
    for path in ("/api/ping", "/discoveries/last"):
        assert ask(path, method="GET", request_id=request_id).status_code == 200
    assert not find_events(request_id)


@pytest.mark.parametrize(
    "path", ["/adapters/adapters", "/queries/queries/1", "/userinventory/users", "/avm/vulnerabilities"]
)
def test_other_calls_of_the_client_are_not_found(path: str, ask: Ask) -> None:
    response = ask(path, {})
    assert is_problem(response, 404, "not_found")
    assert "octoxlabs client" in response.json()["detail"]
