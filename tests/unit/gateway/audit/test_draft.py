"""The audit event of a search, however it ends."""

from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from contracts.query_event.event import EventTarget, EventType, encode, rfc3339
from gateway.audit.draft import EventDraft, Subject, event_type
from gateway.http.correlation import correlated, read_correlation
from gateway.http.problems import Code, Problem
from gateway.identity.authentication import Identification
from gateway.identity.models import User
from tests.support.query_event import read_event


@pytest.fixture
def record() -> EventDraft:
    """A search that has just begun."""
    plain = RequestFactory().post(
        "/search", headers={"X-Request-ID": "r1", "User-Agent": "test", "Authorization": "Octoxlabs secret"}
    )
    request = Request(plain)
    request.user, request.auth = User(username="octoAdmin"), Identification("octoxlabs-unsigned")
    with correlated(read_correlation(plain)):
        return EventDraft.begin(request, "octoAdmin")


def test_an_answered_search_is_executed_with_all_that_is_known_of_it(record: EventDraft) -> None:
    record.query, record.index, record.dsl, record.hits, record.took_ms = "", "devices", {"match_all": {}}, 12, 3
    event = read_event(encode(record.event()))
    assert event["event_id"] == record.query_id
    assert event["event_type"] == "query.executed"
    assert event["user_id"] == "octoAdmin"
    assert event["data"] == {
        "query": "",
        "index": "devices",
        "dsl": {"match_all": {}},
        "hits": 12,
        "took_ms": 3,
        "status": 200,
        "error": None,
        "target": None,
    }
    assert event["metadata"]["request_id"] == "r1"
    assert event["metadata"]["client_ip"] == "127.0.0.1"
    assert event["metadata"]["user_agent"] == "test"
    assert event["metadata"]["auth_scheme"] == "octoxlabs-unsigned"


def test_a_request_about_the_inventory_says_what_it_is_about(record: EventDraft) -> None:
    record.subject, record.target = Subject.INVENTORY, EventTarget("product", "A-1", 7)
    event = read_event(encode(record.event()))
    assert event["event_type"] == "inventory.read"
    assert event["data"]["target"] == {"type": "product", "id": "A-1", "version": 7, "changed": None}
    denied = record.event(Problem(HTTPStatus.PRECONDITION_FAILED, Code.PRECONDITION_FAILED, "another version"))
    assert denied.event_type is EventType.INVENTORY_DENIED


def test_an_answer_that_is_a_success_of_its_own_kind_is_recorded_with_its_status(record: EventDraft) -> None:
    record.status = HTTPStatus.CREATED
    assert record.event().data.status == 201
    assert record.event(Problem(HTTPStatus.BAD_REQUEST, Code.SYNTAX, "expected a value")).data.status == 400


def test_a_search_that_ends_in_a_problem_says_why_and_has_no_hits(record: EventDraft) -> None:
    event = read_event(encode(record.event(Problem(HTTPStatus.BAD_REQUEST, Code.SYNTAX, "expected a value"))))
    assert event["event_type"] == "query.rejected"
    assert event["data"]["status"] == 400
    assert event["data"]["error"] == {"code": "syntax", "message": "expected a value"}
    assert event["data"]["hits"] is None


def test_the_id_is_minted_and_the_time_taken_when_the_search_begins(record: EventDraft) -> None:
    first, second = record.event(), record.event()
    assert first.event_id == second.event_id == record.query_id
    assert first.timestamp == second.timestamp <= rfc3339(datetime.now(UTC))


def test_credentials_are_not_in_the_event(record: EventDraft) -> None:
    assert b"secret" not in encode(record.event())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, EventType.QUERY_EXECUTED),
        (400, EventType.QUERY_REJECTED),
        (401, EventType.QUERY_DENIED),
        (403, EventType.QUERY_DENIED),
        (404, EventType.QUERY_REJECTED),
        (413, EventType.QUERY_REJECTED),
        (415, EventType.QUERY_REJECTED),
        (500, EventType.QUERY_FAILED),
        (503, EventType.QUERY_FAILED),
    ],
)
def test_the_status_decides_what_a_search_counts_as(status: int, expected: EventType) -> None:
    assert event_type(HTTPStatus(status)) is expected
