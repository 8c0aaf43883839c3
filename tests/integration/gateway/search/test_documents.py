"""Ids of results, and ``GET /documents/{index}/{document_id}``, on the real servers."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from gateway.identity.models import User
from tests.support.gateway import INDEX, FindEvents, Search, elasticsearch_client
from tests.support.problems import is_problem

ADA = "Octoxlabs YWRh"


def _read(client: Client, path: str, authorization: str = "Octoxlabs b2N0b0FkbWlu") -> Any:
    return client.get(f"/documents/{path}", headers={"Authorization": authorization})


def test_ids_are_those_of_the_results_in_their_order(search: Search, many: str) -> None:
    asked = {"index": many, "sort": ["-Hostname"], "size": 3, "fields": ["Hostname"]}
    page, snapshot = search("", **asked, ids=True).json(), search("", **asked, ids=True, cursor="start").json()
    assert page["ids"] == snapshot["ids"] == ["h24999", "h24998", "h24997"]
    assert page["results"] == snapshot["results"] == [{"Hostname": each} for each in page["ids"]]
    assert "ids" not in search("", **asked).json()


def test_a_document_that_was_found_can_be_read_whole(search: Search, client: Client) -> None:
    found = search("Hostname = octoxlabs01", ids=True).json()
    answer = _read(client, f"{INDEX}/{found['ids'][0]}")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert (answer.json()["index"], answer.json()["id"]) == (INDEX, found["ids"][0])
    assert answer.json()["document"] == found["results"][0]


def test_an_id_may_have_any_characters(stack: Settings, client: Client) -> None:
    del stack
    name = 'a/b?c "d" %2F é'
    elasticsearch_client().index(index=INDEX, id=name, document={"Hostname": "odd"}, refresh=True)
    try:
        answer = _read(client, f"{INDEX}/a/b%3Fc%20%22d%22%20%252F%20%C3%A9")
        assert (answer.json()["id"], answer.json()["document"]) == (name, {"Hostname": "odd"})
    finally:
        elasticsearch_client().delete(index=INDEX, id=name, refresh=True)


def test_each_look_is_one_event_that_names_the_document(
    search: Search, client: Client, find_events: FindEvents
) -> None:
    (document_id,) = search("Hostname = octoxlabs01", ids=True).json()["ids"]
    answer = _read(client, f"{INDEX}/{document_id}")
    (event,) = find_events(answer["X-Request-ID"])
    assert event["event_id"] == answer.json()["query_id"]
    assert (event["event_type"], event["data"]["index"], event["data"]["hits"]) == ("query.executed", INDEX, 1)
    target = event["data"]["target"]
    assert (target["type"], target["id"]) == ("document", document_id)
    assert event["data"]["dsl"] == {"ids": {"values": [document_id]}}


@pytest.mark.parametrize("document_id", ["nobody", "x" * 600])
def test_a_document_that_is_not_there_is_not_found_and_recorded(
    document_id: str, stack: Settings, client: Client, find_events: FindEvents
) -> None:
    del stack
    answer = _read(client, f"{INDEX}/{document_id}")
    assert is_problem(answer, 404, "not_found")
    (event,) = find_events(answer["X-Request-ID"])
    assert (event["event_type"], event["data"]["status"]) == ("query.rejected", 404)


@pytest.mark.parametrize("index", [INDEX, "nothing", "query-logs-*", "*", "_all", "..%2F_cluster"])
def test_a_document_of_an_index_that_was_not_granted_is_refused(index: str, stack: Settings, client: Client) -> None:
    del stack
    User.objects.create(username="ada", granted_indices=["not-there"])
    assert is_problem(_read(client, f"{index}/octoxlabs01", ADA), 403, "forbidden")


def test_who_is_unknown_reads_nothing(stack: Settings, client: Client) -> None:
    del stack
    assert is_problem(client.get(f"/documents/{INDEX}/a"), 401, "unauthenticated")
