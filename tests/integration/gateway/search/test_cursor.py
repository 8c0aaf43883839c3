"""``"cursor"`` of ``POST /search``: a snapshot that is read to any depth, by its user alone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gateway.identity.models import User
from gateway.search.cursors import MAX_OPEN
from gateway.search.models import OpenCursor
from kit.kafka import KafkaSettings
from tests.support.gateway import INDEX, MANY_DOCUMENTS, FindEvent, Search, elasticsearch_client, open_contexts
from tests.support.problems import is_problem


def _walk(search: Search, query: str = "", **members: Any) -> Iterator[Any]:
    """Every page's answer, from the start to the end."""
    cursor = "start"
    while cursor is not None:
        response = search(query, cursor=cursor, **members)
        assert response.status_code == 200, response.content
        yield response.json()
        cursor = response.json()["next"]


def _names(answers: Any) -> list[str]:
    return [device["Hostname"] for answer in answers for device in answer["results"]]


def test_a_walk_finds_every_document_once_as_the_index_was_when_it_began(search: Search, many: str) -> None:
    pages = _walk(search, index=many, size=1000, fields=["Hostname"])
    answers = [next(pages)]
    elasticsearch_client().index(index=many, id="late", document={"Hostname": "late"}, refresh=True)
    elasticsearch_client().delete(index=many, id="h24999", refresh=True)
    try:
        answers += pages
    finally:
        elasticsearch_client().delete(index=many, id="late")
        elasticsearch_client().index(
            index=many, id="h24999", document={"Hostname": "h24999", "Site": "9"}, refresh=True
        )
    assert sorted(_names(answers)) == [f"h{number:05}" for number in range(MANY_DOCUMENTS)]
    assert len(answers) == MANY_DOCUMENTS / 1000
    assert {(answer["count"], answer["count_relation"]) for answer in answers} == {(10_000, "gte")}
    assert answers[-1]["next"] is None


@pytest.mark.parametrize(
    "sort", [["-Hostname"], ["Site", "-Hostname"], ["RiskScore", "Hostname"], ["-LastSeen"], ["Labels.nothing"], ["Ip"]]
)
def test_a_walk_goes_in_the_order_that_was_asked_for(sort: list[str], search: Search) -> None:
    whole = search("Hostname = octoxlabs*", sort=[*sort, "Hostname"], size=100).json()
    walked = list(_walk(search, "Hostname = octoxlabs*", sort=[*sort, "Hostname"], size=5))
    assert [len(answer["results"]) for answer in walked] == [5, 5, 2]
    assert _names(walked) == _names([whole])


@pytest.mark.parametrize("sort", [["RiskScore"], ["-FirstSeen"], ["OS.Type"], ["Hardware.Cores"], ["Ip"], ["Managed"]])
def test_documents_without_the_field_come_last_and_are_walked_too(sort: list[str], search: Search, many: str) -> None:
    walked = list(_walk(search, "Hostname < h00010", index=many, sort=sort, size=3))
    assert sorted(_names(walked)) == [f"h{number:05}" for number in range(10)]


def test_documents_of_one_value_are_each_found_once(search: Search, many: str) -> None:
    walked = list(_walk(search, "Site = 7 AND Hostname < h01000", index=many, sort=["Site"], size=9))
    assert len(_names(walked)) == len(set(_names(walked))) == 100


def test_a_walk_that_ends_on_a_full_page_knows_that_it_has_ended(search: Search) -> None:
    (answer,) = _walk(search, "Hostname = octoxlabs*", size=12)
    assert len(answer["results"]) == 12
    (answer,) = _walk(search, "Hostname = nobody", size=12)
    assert answer["results"] == []


def test_a_page_can_be_asked_for_again(search: Search) -> None:
    cursor = search("Hostname = octoxlabs*", cursor="start", size=5, sort=["Hostname"]).json()["next"]
    twice = [search("Hostname = octoxlabs*", cursor=cursor, size=5, sort=["Hostname"]).json() for _ in range(2)]
    assert twice[0]["results"] == twice[1]["results"] != []


def test_size_and_fields_may_change_on_the_way(search: Search) -> None:
    cursor = search("Hostname = octoxlabs*", cursor="start", size=5, sort=["Hostname"]).json()["next"]
    answer = search("Hostname = octoxlabs*", cursor=cursor, size=7, sort=["Hostname"], fields=["Hostname"]).json()
    assert answer["results"] == [{"Hostname": f"octoxlabs{number:02}"} for number in range(6, 13)]
    assert answer["next"] is None


def test_now_is_the_moment_at_which_the_walk_began(search: Search) -> None:
    asked = {"query": "LastSeen < now", "size": 1, "explain": True}
    first = search(**asked, cursor="start").json()
    second = search(**asked, cursor=first["next"]).json()
    assert first["dsl"] == second["dsl"]
    (moment,) = OpenCursor.objects.values_list("started_at", flat=True)
    assert first["dsl"]["range"]["LastSeen"]["lt"].startswith(f"{moment:%Y-%m-%dT%H:%M:%S.}")


def test_without_a_cursor_no_snapshot_is_opened(search: Search) -> None:
    assert search("", size=1).json()["next"] is None
    assert not OpenCursor.objects.exists()


def test_the_last_page_closes_the_snapshot(search: Search) -> None:
    before = open_contexts()
    first = search("Hostname = octoxlabs*", cursor="start", size=6).json()
    assert (open_contexts(), OpenCursor.objects.count()) == (before + 1, 1)
    last = search("Hostname = octoxlabs*", cursor=first["next"], size=6).json()
    assert last["next"] is None
    assert (open_contexts(), OpenCursor.objects.count()) == (before, 0)
    again = search("Hostname = octoxlabs*", cursor=first["next"], size=6)
    assert is_problem(again, 409, "cursor_expired")


@pytest.mark.parametrize(
    "members",
    [
        {"query": "Hostname ="},
        {"query": "", "sort": ["Description"]},
        {"query": "", "fields": ["Hostnme"]},
        {"query": "Hostname ~ /(.*a){30}(.*b){50}.{100}/"},
        {"query": "", "index": "not-there"},
        {"query": "", "index": "users"},
    ],
)
def test_a_walk_that_cannot_begin_leaves_nothing_open(members: dict[str, Any], search: Search) -> None:
    before = open_contexts()
    assert search(**members, cursor="start").status_code in (400, 403, 404)
    assert (open_contexts(), OpenCursor.objects.count()) == (before, 0)


def test_a_walk_that_cannot_be_recorded_leaves_nothing_open_and_its_last_page_can_be_asked_for_again(
    search: Search, stack: Settings, closed_port: int
) -> None:
    before = open_contexts()
    asked = {"query": "Hostname = octoxlabs*", "size": 6}
    first = search(**asked, cursor="start").json()
    kafka, gateway = stack.KAFKA, stack.GATEWAY
    stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
    stack.GATEWAY = gateway.model_copy(update={"audit_timeout": 0.5, "spool_bytes": 1})
    assert is_problem(search(**asked, cursor="start"), 503, "audit_unavailable")
    assert (open_contexts(), OpenCursor.objects.count()) == (before + 1, 1)
    assert is_problem(search(**asked, cursor=first["next"]), 503, "audit_unavailable")
    stack.KAFKA, stack.GATEWAY = kafka, gateway
    last = search(**asked, cursor=first["next"]).json()
    assert (len(last["results"]), last["next"]) == (6, None)
    assert (open_contexts(), OpenCursor.objects.count()) == (before, 0)


def test_a_snapshot_that_cannot_be_given_up_does_not_fail_a_page_that_is_on_the_trail(
    search: Search, find_event: FindEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenCursor, "delete", Mock(side_effect=DatabaseError("locked")))
    answer = search("Hostname = octoxlabs*", cursor="start", size=12)
    assert answer.status_code == 200
    event = find_event(answer.json()["query_id"])
    assert event is not None
    assert event["data"]["status"] == 200


def test_a_cursor_that_was_not_used_for_two_minutes_has_expired(search: Search) -> None:
    cursor = search("", cursor="start", size=1).json()["next"]
    assert 110 < (OpenCursor.objects.get().expires_at - timezone.now()).total_seconds() <= 120
    OpenCursor.objects.update(expires_at=timezone.now() + timedelta(seconds=1))
    cursor = search("", cursor=cursor, size=1).json()["next"]
    assert 110 < (OpenCursor.objects.get().expires_at - timezone.now()).total_seconds() <= 120
    OpenCursor.objects.update(expires_at=timezone.now())
    response = search("", cursor=cursor, size=1)
    assert is_problem(response, 409, "cursor_expired")
    assert '"cursor": "start"' in response.json()["detail"]


def test_a_snapshot_that_elasticsearch_has_lost_is_an_expired_cursor(search: Search, find_event: FindEvent) -> None:
    cursor = search("", cursor="start", size=1).json()["next"]
    elasticsearch_client().close_point_in_time(id=OpenCursor.objects.get().point_in_time)
    response = search("", cursor=cursor, size=1)
    assert is_problem(response, 409, "cursor_expired")
    assert not OpenCursor.objects.exists()
    event = find_event(response.json()["query_id"])
    assert event is not None
    assert (event["event_type"], event["data"]["status"]) == ("query.rejected", 409)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"query": "Site = london"}, ["query"]),
        ({"index": "devices-many"}, ["index"]),
        ({"sort": ["-Hostname"]}, ["sort"]),
        ({"sort": []}, ["sort"]),
        ({"case_insensitive": True}, ["case_insensitive"]),
        ({"query": "", "sort": []}, ["query", "sort"]),
    ],
)
def test_a_cursor_is_good_for_its_own_search_alone(
    changed: dict[str, Any], named: list[str], search: Search, many: str
) -> None:
    del many
    asked = {"query": "Site = ankara", "sort": ["Hostname"], "size": 1, "index": INDEX, "case_insensitive": False}
    cursor = search(**asked, cursor="start").json()["next"]
    response = search(**asked | changed, cursor=cursor)
    assert is_problem(response, 400, "malformed")
    assert f"another {' and '.join(named)};" in response.json()["detail"]
    assert search(**asked, cursor=cursor).status_code == 200


def test_a_cursor_is_good_for_its_own_user_alone(search: Search, client: Client) -> None:
    User.objects.create(username="other")
    cursor = search("", cursor="start", size=1).json()["next"]
    headers = {"Authorization": "Octoxlabs b3RoZXI="}
    body = {"query": "", "cursor": cursor, "size": 1}
    response = client.post("/search", body, content_type="application/json", headers=headers)
    assert is_problem(response, 400, "malformed")
    assert "another user" in response.json()["detail"]
    assert search("", cursor=cursor, size=1).status_code == 200


def test_a_cursor_that_was_tampered_with_is_refused(search: Search, stack: Settings) -> None:
    cursor: str = search("", cursor="start", size=1).json()["next"]
    for forged in (
        cursor[:-1],
        cursor + "x",
        "x" + cursor,
        cursor.swapcase(),
        "Start",
        "a:b:c",
        ":",
        "ş",
        "x" * 60_000,
    ):
        assert is_problem(search("", cursor=forged, size=1), 400, "malformed"), forged
    assert search("", cursor=cursor, size=1).status_code == 200
    stack.SECRET_KEY = "another gateway's"
    assert is_problem(search("", cursor=cursor, size=1), 400, "malformed")


def test_an_eleventh_cursor_has_to_wait_for_one_of_the_ten(search: Search, find_event: FindEvent) -> None:
    cursors = [search("", cursor="start", size=1, index=INDEX).json()["next"] for _ in range(MAX_OPEN)]
    eleventh = search("", cursor="start", size=1)
    assert is_problem(eleventh, 429, "throttled")
    assert 110 < int(eleventh["Retry-After"]) <= 121
    event = find_event(eleventh.json()["query_id"])
    assert event is not None
    assert event["event_type"] == "query.throttled"
    assert search("", size=1).status_code == 200
    assert search("", cursor=cursors[0], size=1).status_code == 200

    expired = OpenCursor.objects.order_by("started_at").values_list("pk", flat=True)[:1]
    OpenCursor.objects.filter(pk__in=list(expired)).update(expires_at=timezone.now())
    assert search("", cursor="start", size=1).status_code == 200
    assert OpenCursor.objects.count() == MAX_OPEN


def test_the_cursors_of_others_do_not_count(search: Search) -> None:
    other = User.objects.create(username="other")
    now = timezone.now()
    for _ in range(MAX_OPEN):
        OpenCursor.objects.create(user=other, binding={}, started_at=now, expires_at=now + timedelta(minutes=2))
    assert search("", cursor="start", size=1).status_code == 200


def test_a_cursor_can_be_closed_and_makes_room(search: Search, client: Client) -> None:
    before = open_contexts()
    cursor = search("", cursor="start", size=1).json()["next"]
    path = f"/cursors/{cursor.partition('.')[0]}"
    header = {"Authorization": "Octoxlabs b2N0b0FkbWlu"}
    assert client.delete(path, headers=header).status_code == 204
    assert open_contexts() == before
    assert is_problem(search("", cursor=cursor, size=1), 409, "cursor_expired")
    assert is_problem(client.delete(path, headers=header), 404, "not_found")


@pytest.mark.parametrize("identifier", ["x", "0" * 32, "0" * 4000, "%00"])
def test_what_is_no_cursor_of_the_caller_is_not_closed(identifier: str, search: Search, client: Client) -> None:
    del search
    header = {"Authorization": "Octoxlabs b2N0b0FkbWlu"}
    assert is_problem(client.delete(f"/cursors/{identifier}", headers=header), 404, "not_found")


def test_nobody_closes_the_cursor_of_somebody_else(search: Search, client: Client) -> None:
    User.objects.create(username="ada")
    cursor = search("", cursor="start", size=1).json()["next"]
    path = f"/cursors/{cursor.partition('.')[0]}"
    assert is_problem(client.delete(path, headers={"Authorization": "Octoxlabs YWRh"}), 404, "not_found")
    assert search("", cursor=cursor, size=1).status_code == 200
