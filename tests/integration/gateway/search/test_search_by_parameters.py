"""``GET /search?q=`` finds, refuses and records what ``POST /search`` does."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.gateway import INDEX, FindEvent, Search
from tests.support.problems import is_problem

Get = Callable[..., Any]


@pytest.fixture
def get(stack: Settings, client: Client) -> Get:
    """``GET /search`` as octoAdmin."""
    del stack

    def send(query_string: str = "", **parameters: str) -> Any:
        return client.get(
            f"/search?{query_string or urlencode(parameters)}", headers={"Authorization": "Octoxlabs b2N0b0FkbWlu"}
        )

    return send


def test_it_answers_as_a_body_is_answered(get: Get, search: Search) -> None:
    by_parameters = get(
        q="hostname = OCTOXLABS*",
        index=INDEX,
        size="3",
        page="2",
        sort="-Hostname,Ip",
        fields="Hostname,OS.Type",
        case_insensitive="true",
        explain="true",
    )
    by_body = search(
        "hostname = OCTOXLABS*",
        index=INDEX,
        size=3,
        page=2,
        sort=["-Hostname", "Ip"],
        fields=["Hostname", "OS.Type"],
        case_insensitive=True,
        explain=True,
    )
    assert by_parameters.status_code == by_body.status_code == 200
    its_own = {"query_id", "took_ms"}
    first, second = ({k: v for k, v in r.json().items() if k not in its_own} for r in (by_parameters, by_body))
    assert first == second
    assert len(first["results"]) == 3


def test_it_tells_what_the_query_probably_does_not_mean(get: Get, search: Search) -> None:
    notices = get(q="Site = 'an*'").json()["notices"]
    assert [notice["code"] for notice in notices] == ["quoted_wildcard"]
    assert notices == search("Site = 'an*'").json()["notices"]


def test_a_browser_gets_json_that_nothing_keeps(get: Get) -> None:
    response = get(q="Hostname = octoxlabs01")
    assert (response["Content-Type"], response["Cache-Control"]) == ("application/json", "no-store")


def test_a_cursor_goes_on_from_a_query_string_too(get: Get, search: Search) -> None:
    first = get(q="Hostname = octoxlabs*", size="7", cursor="start", sort="Hostname", fields="Hostname").json()
    second = get(q="Hostname = octoxlabs*", size="7", cursor=first["next"], sort="Hostname", fields="Hostname").json()
    names = [device["Hostname"] for answer in (first, second) for device in answer["results"]]
    assert names == [f"octoxlabs{number:02}" for number in range(1, 13)]
    assert second["next"] is None
    begun = search("Hostname = octoxlabs*", size=7, cursor="start").json()
    assert get(q="Hostname = octoxlabs*", size="7", cursor=begun["next"]).status_code == 200


def test_it_is_recorded_as_a_search(get: Get, find_event: FindEvent) -> None:
    answer = get(q="Hostname = octoxlabs*", size="1").json()
    event = find_event(answer["query_id"])
    assert event is not None
    assert (event["event_type"], event["user_id"]) == ("query.executed", "octoAdmin")
    assert event["data"]["query"] == "Hostname = octoxlabs*"
    assert (event["data"]["hits"], event["data"]["status"]) == (12, 200)


@pytest.mark.parametrize(
    ("query_string", "expected", "query"),
    [
        ("q=Hostname+=", (400, "syntax"), "Hostname ="),
        ("q=&size=-1", (400, "malformed"), ""),
        ("q=a&page=x", (400, "malformed"), "a"),
        ("", (400, "malformed"), None),
        ("query=a", (400, "malformed"), None),
        ("q=a&q=b", (400, "malformed"), None),
        ("q=%ff", (400, "malformed"), None),
        ("q=%00", (400, "malformed"), "\0"),
        ("q=a&index=users", (403, "forbidden"), "a"),
        ("q=&index=not-there", (404, "not_found"), ""),
        ("q=&fields=Hostnme", (400, "unknown_field"), ""),
        ("q=&cursor=forged", (400, "malformed"), ""),
        ("q=" + "x" * 50_000, (400, "syntax"), "x" * 50_000),
    ],
)
def test_its_refusals_are_recorded_too(
    query_string: str, expected: tuple[int, str], query: str | None, get: Get, find_event: FindEvent
) -> None:
    response = get(query_string or "&")
    assert is_problem(response, *expected)
    event = find_event(response.json()["query_id"])
    assert event is not None
    assert (event["data"]["query"], event["data"]["status"]) == (query, expected[0])


@pytest.mark.usefixtures("stack")
def test_without_the_header_no_client_is_let_in_whatever_else_is_sent(client: Client) -> None:
    client.cookies["sessionid"] = "b2N0b0FkbWlu"
    response = client.get("/search?q=&access_token=b2N0b0FkbWlu", headers={"Origin": "https://elsewhere.example"})
    assert is_problem(response, 401, "unauthenticated")
    assert "Access-Control-Allow-Origin" not in response


def test_head_is_get_without_a_body(stack: Settings, client: Client) -> None:
    del stack
    response = client.head("/search?q=", headers={"Authorization": "Octoxlabs b2N0b0FkbWlu"})
    assert (response.status_code, response["Content-Type"], response.content) == (200, "application/json", b"")
