"""Every request of a known caller is on the topic before it is answered."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from gateway.audit.delivery import event_delivery
from kit.kafka import KafkaSettings
from tests.support.full_disk import no_file_beyond
from tests.support.gateway import FindEvent, Search

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_answered_search_is_an_event_under_its_query_id(search: Search, find_event: FindEvent) -> None:
    headers = {"X-Request-ID": "r-1", "traceparent": TRACEPARENT, "User-Agent": "tests"}
    answer = search("Hostname = octoxlabs*", headers=headers).json()
    event = find_event(answer["query_id"])
    assert event is not None
    assert event["event_type"] == "query.executed"
    assert event["user_id"] == "octoAdmin"
    assert event["key"] == b"octoAdmin"
    assert event["data"] == {
        "query": "Hostname = octoxlabs*",
        "index": "devices-gateway",
        "dsl": {"prefix": {"Hostname": "octoxlabs"}},
        "hits": answer["count"],
        "took_ms": answer["took_ms"],
        "status": 200,
        "error": None,
        "target": None,
    }
    assert event["metadata"]["request_id"] == "r-1"
    assert event["metadata"]["trace_id"] == TRACEPARENT.split("-")[1]
    assert event["headers"]["ce_id"] == answer["query_id"].encode()
    assert event["headers"]["traceparent"] == TRACEPARENT.encode()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"query": "Hostname ="}, ("query.rejected", 400, "syntax")),
        ({"query": "", "size": -1}, ("query.rejected", 400, "malformed")),
        ({"query": "", "cursor": "forged"}, ("query.rejected", 400, "malformed")),
        ({"query": "", "index": "users"}, ("query.denied", 403, "forbidden")),
        ({"query": "", "index": "not-there"}, ("query.rejected", 404, "not_found")),
    ],
)
def test_a_refused_search_is_an_event_too(
    members: dict[str, Any], expected: tuple[str, int, str], search: Search, find_event: FindEvent
) -> None:
    problem = search(**members).json()
    event = find_event(problem["query_id"])
    assert event is not None
    data = event["data"]
    assert (event["event_type"], data["status"], data["error"]["code"]) == expected
    assert (problem["status"], problem["code"], problem["detail"]) == (*expected[1:], data["error"]["message"])
    assert data["query"] == members["query"]
    assert event["data"]["hits"] is None


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"query": "a", "query": "b"}', "application/json", 400),
        (b"query=a", "application/x-www-form-urlencoded", 415),
        (b"0" * (1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_an_event_without_a_query(
    body: bytes, content_type: str, status: int, client: Client, find_event: FindEvent
) -> None:
    headers = {"Authorization": "Octoxlabs b2N0b0FkbWlu"}
    response = client.post("/search", body, content_type=content_type, headers=headers)
    assert response.status_code == status
    event = find_event(response.json()["query_id"])
    assert event is not None
    assert event["event_type"] == "query.rejected"
    assert (event["data"]["query"], event["data"]["status"]) == (None, status)


def test_a_search_that_a_dependency_fails_is_an_event(
    search: Search, stack: Settings, find_event: FindEvent, closed_port: int
) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"translator_url": f"http://127.0.0.1:{closed_port}"})
    problem = search("Hostname = a").json()
    event = find_event(problem["query_id"])
    assert event is not None
    assert event["event_type"] == "query.failed"
    assert event["data"]["error"]["code"] == "translator_unavailable"


def test_a_query_too_long_for_an_event_is_recorded_cut_and_marked(search: Search, find_event: FindEvent) -> None:
    problem = search("x" * 900_000).json()
    event = find_event(problem["query_id"])
    assert event is not None
    assert "truncated" in event["data"]["query"]


def test_an_unknown_caller_leaves_no_query_behind(stack: Settings, client: Client, find_event: FindEvent) -> None:
    del stack
    response = client.post("/search", {"query": "Hostname = secret"}, content_type="application/json")
    assert response.status_code == 401
    event = find_event(response.json()["query_id"])
    assert event is not None
    assert (event["event_type"], event["user_id"], event["data"]["query"]) == ("query.denied", None, None)


def test_without_kafka_and_without_room_on_the_disk_the_gateway_is_not_ready_until_there_is(
    search: Search, stack: Settings, client: Client, closed_port: int, tmp_path: Path
) -> None:
    stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 0.2, "spool_dir": tmp_path})
    event_delivery()
    with no_file_beyond(100):
        assert search().json()["code"] == "audit_unavailable"
        unready = client.get("/readyz")
        assert (unready.status_code, unready.json()["status"]) == (503, "unready")
        assert search().json()["code"] == "audit_unavailable"
    degraded = client.get("/readyz")
    assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
    assert search().status_code == 200
