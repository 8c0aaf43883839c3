"""Auditors search the audit trail, all its daily indices under one name, as everybody searches devices."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.test import Client
from elasticsearch.helpers import bulk
from pytest_django import Settings

from gateway.identity.models import Role, User
from tests.support.gateway import FindEvent, elasticsearch_client

LOGS = "query-logs-*"
DAYS = ("2024.02.28", "2024.02.29", "2024.03.01")
MINE = 'sluice.index = "auditors-test"'


@pytest.fixture
def trail(stack: Settings) -> Iterator[None]:
    """Three days of the trail, two events each."""
    del stack
    actions = [
        {
            "_index": f"query-logs-{day}",
            "_id": f"{day}-{hour}",
            "@timestamp": f"{day.replace('.', '-')}T{hour}:00:00Z",
            "event": {"action": "query.executed", "outcome": "success"},
            "user": {"name": f"user{hour}"},
            "sluice": {"index": "auditors-test", "query": "", "dsl": {"match_all": {}}},
        }
        for day in DAYS
        for hour in ("08", "17")
    ]
    bulk(elasticsearch_client(), actions, refresh=True)
    yield
    for day in DAYS:
        elasticsearch_client().indices.delete(index=f"query-logs-{day}")


@pytest.fixture
def auditor(trail: None, client: Client) -> Client:
    """A client of a user who may read the trail."""
    del trail
    User.objects.create(username="auditor", role=Role.AUDITOR)
    client.defaults["HTTP_AUTHORIZATION"] = "Octoxlabs YXVkaXRvcg=="
    return client


def _post(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def test_the_newest_come_first_over_all_days(auditor: Client) -> None:
    answer = _post(auditor, "/search", query=MINE, index=LOGS, sort=["-@timestamp"], fields=["@timestamp"]).json()
    newest = [{"@timestamp": f"{day.replace('.', '-')}T{hour}:00:00Z"} for day in DAYS for hour in ("08", "17")][::-1]
    assert (answer["count"], answer["results"]) == (6, newest)


def test_a_day_is_found_by_its_timestamp(auditor: Client) -> None:
    answer = _post(auditor, "/search", query=f"{MINE} AND @timestamp = 2024-02-29", index=LOGS).json()
    assert {result["@timestamp"][:10] for result in answer["results"]} == {"2024-02-29"}
    assert answer["count"] == 2


def test_a_field_that_is_stored_without_being_indexed_can_be_returned(auditor: Client) -> None:
    answer = _post(auditor, "/search", query=MINE, index=LOGS, size=1, fields=["sluice.dsl"]).json()
    assert answer["results"] == [{"sluice": {"dsl": {"match_all": {}}}}]


def test_cursors_and_streams_cross_the_days(auditor: Client) -> None:
    asked = {"query": MINE, "index": LOGS, "sort": ["@timestamp"], "fields": ["@timestamp"]}
    first = _post(auditor, "/search", **asked, cursor="start", size=4).json()
    second = _post(auditor, "/search", **asked, cursor=first["next"], size=4).json()
    walked = first["results"] + second["results"]
    assert (len(walked), second["next"]) == (6, None)
    headers = {"Accept": "application/x-ndjson"}
    stream: Any = auditor.post("/search", asked, content_type="application/json", headers=headers)
    assert [orjson.loads(line) for line in b"".join(stream.streaming_content).splitlines()] == walked
    stream.close()


def test_the_language_knows_the_fields_of_the_trail(auditor: Client) -> None:
    fields = auditor.get("/fields", {"index": LOGS}).json()["fields"]
    assert {"@timestamp", "user.name", "sluice.query"} <= {field["name"] for field in fields}
    translated = _post(auditor, "/translate", query="user.name = user08", index=LOGS).json()
    assert translated["query"] == {"term": {"user.name": "user08"}}
    completed = _post(auditor, "/complete", query="user.name = user0", cursor=17, index=LOGS).json()
    assert [suggestion["text"] for suggestion in completed["suggestions"]] == ["user08"]


def test_a_search_of_the_trail_is_on_the_trail(auditor: Client, find_event: FindEvent) -> None:
    answer = _post(auditor, "/search", query=MINE, index=LOGS).json()
    event = find_event(answer["query_id"])
    assert event is not None
    assert (event["event_type"], event["user_id"]) == ("query.executed", "auditor")
    assert (event["data"]["index"], event["data"]["hits"]) == (LOGS, 6)


@pytest.mark.usefixtures("trail")
def test_a_searcher_may_not_read_it(client: Client) -> None:
    client.defaults["HTTP_AUTHORIZATION"] = "Octoxlabs b2N0b0FkbWlu"
    asked = [
        _post(client, "/search", query="", index=LOGS),
        _post(client, "/translate", query="", index=LOGS),
        _post(client, "/complete", query="", cursor=0, index=LOGS),
        client.get("/fields", {"index": LOGS}),
    ]
    assert {(response.status_code, response.json()["code"]) for response in asked} == {(403, "forbidden")}


@pytest.mark.parametrize("index", ["query-logs-2024.03.01", "query-logs-2024*", "query-*", "*", "_all"])
def test_no_other_name_of_it_is_taken(index: str, auditor: Client) -> None:
    assert _post(auditor, "/search", query="", index=index).status_code == 403
