"""``GET /history``: the caller's own events, from the real trail."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from elasticsearch.helpers import bulk
from pytest_django import Settings

from gateway.identity.models import User
from gateway.search.history_views import PAGE
from tests.support.gateway import FindEvents, elasticsearch_client
from tests.support.problems import is_problem

DAY = "query-logs-2024.02.28"
EVENTS = 2 * PAGE


def _document(number: int, **more: Any) -> dict[str, Any]:
    event_id = f"018dee53-0000-7000-8000-{number:012}"
    return {
        "_index": DAY,
        "_id": event_id,
        "@timestamp": "2024-02-28T08:00:00.000Z",
        "event": {"id": event_id, "action": "query.executed", "outcome": "success", "duration": 3_000_000},
        "user": {"name": "hera"},
        "http": {"response": {"status_code": 200}},
        "sluice": {"index": "devices", "query": f"number = {number}", "hits": number, "dsl": None},
    } | more


@pytest.fixture
def history(stack: Settings, client: Client) -> Iterator[Any]:
    """``GET /history`` as hera, of whom there are ``EVENTS`` searches, a log-in, and a look at the history.

    Nobody else of that name is on the trail, whatever other tests have put there.
    """
    del stack
    User.objects.create(username="hera")
    sluice = {"index": None, "query": None}
    error = {"code": "unauthenticated", "message": "no"}
    others = [
        _document(1000, user={"name": "ada"}),
        _document(1001, event={"id": "z", "action": "query.executed"}, sluice=sluice | {"target": {"type": "history"}}),
        _document(
            1002,
            event={"id": "018dee53-0000-7000-8000-000000001002", "action": "auth.failed", "outcome": "failure"},
            http={"response": {"status_code": 401}},
            sluice=sluice,
            error=error,
        ),
    ]
    bulk(elasticsearch_client(), [*(_document(number) for number in range(EVENTS)), *others], refresh=True)
    yield lambda query="": client.get(f"/history{query}", headers={"Authorization": "Octoxlabs aGVyYQ=="})
    elasticsearch_client().indices.delete(index=DAY)


def test_it_is_read_on_from_the_newest_to_the_oldest(history: Any) -> None:
    first = history("?kind=query")
    assert (first.status_code, first["Cache-Control"]) == (200, "no-store")
    second = history(f"?kind=query&before={first.json()['next']}").json()
    assert second["next"] is None
    events = [*first.json()["events"], *second["events"]]
    assert [event["hits"] for event in events] == list(reversed(range(EVENTS)))
    assert events[-1] == {
        "id": "018dee53-0000-7000-8000-000000000000",
        "at": "2024-02-28T08:00:00.000Z",
        "action": "query.executed",
        "status": 200,
        "query": "number = 0",
        "index": "devices",
        "hits": 0,
        "took_ms": 3,
    }


def test_it_has_ones_own_events_of_every_kind_and_no_looks_at_itself(history: Any) -> None:
    newest, *others = history().json()["events"]
    assert (newest["action"], newest["status"], newest["code"]) == ("auth.failed", 401, "unauthenticated")
    assert {event["query"] for event in others} <= {f"number = {number}" for number in range(EVENTS)}
    assert history("?kind=auth").json() == {"events": [newest], "next": None}
    assert history("?kind=saved").json() == {"events": [], "next": None}


def test_each_look_is_one_event(history: Any, find_events: FindEvents) -> None:
    answer = history("?kind=auth")
    (event,) = find_events(answer["X-Request-ID"])
    assert (event["event_type"], event["data"]["hits"]) == ("query.executed", 1)
    assert (event["data"]["target"]["type"], event["data"]["index"]) == ("history", "query-logs-*")


def test_before_the_first_event_is_stored_it_is_empty(stack: Settings, client: Client) -> None:
    del stack
    for index in elasticsearch_client().indices.get(index="query-logs-*"):
        elasticsearch_client().indices.delete(index=index)
    answer = client.get("/history", headers={"Authorization": "Octoxlabs b2N0b0FkbWlu"})
    assert (answer.status_code, answer.json()) == (200, {"events": [], "next": None})


@pytest.mark.parametrize(
    "query", ["?kind=all", "?kind=", "?before=", f"?before={'a' * 37}", "?user=ada", "?before=a&before=b"]
)
def test_parameters_that_break_the_contract_are_malformed(query: str, history: Any) -> None:
    assert is_problem(history(query), 400, "malformed")


def test_who_is_unknown_has_none(stack: Settings, client: Client) -> None:
    del stack
    assert is_problem(client.get("/history"), 401, "unauthenticated")
