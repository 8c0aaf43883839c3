"""``GET /fields``, ``POST /complete`` and ``POST /translate`` against the real translator, Elasticsearch and Kafka."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django import Settings

from kit.kafka import KafkaSettings
from tests.support.faulty_proxy import in_front_of
from tests.support.gateway import INDEX, FindEvents
from tests.support.problems import is_problem

Ask = Callable[..., Any]

FIELDS = ("GET", "/fields", None)
COMPLETE = ("POST", "/complete", {"query": "Site = ", "cursor": 7})
TRANSLATE = ("POST", "/translate", {"query": "Site = ankara"})


@pytest.fixture
def ask(stack: Settings, client: Client) -> Ask:
    """Sends a request as octoAdmin; a body that is not bytes is sent as JSON."""
    del stack

    def send(method: str, path: str, body: Any = None, media_type: str = "application/json") -> Any:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return client.generic(method, path, data, media_type, headers={"Authorization": "Octoxlabs b2N0b0FkbWlu"})

    return send


@pytest.fixture
def complete(ask: Ask) -> Ask:
    """``POST /complete`` with the cursor at the end of the query."""
    return lambda query, **members: ask("POST", "/complete", {"query": query, "cursor": len(query), **members})


def _texts(response: Any) -> list[str]:
    assert response.status_code == 200
    return [suggestion["text"] for suggestion in response.json()["suggestions"]]


def test_the_fields_of_the_first_index_are_listed_with_their_types_and_operators(ask: Ask) -> None:
    answer = ask(*FIELDS).json()
    assert set(answer) == {"index", "fields"}
    assert answer["index"] == INDEX
    managed = next(field for field in answer["fields"] if field["name"] == "Managed")
    assert managed == {
        "name": "Managed",
        "type": "boolean",
        "operators": ["=", "!=", "IN", "NOT IN", "EXISTS", "NOT EXISTS"],
        "sortable": True,
    }
    assert ask("GET", f"/fields?index={INDEX}").json() == answer


@pytest.mark.parametrize(
    "parameters", ["index=", "index=a&index=b", "indices=devices", f"index={'d' * 256}", "index=%00"]
)
def test_parameters_that_break_the_contract_are_malformed(parameters: str, ask: Ask) -> None:
    assert is_problem(ask("GET", f"/fields?{parameters}"), 400, "malformed")


def test_a_query_is_translated_and_written_in_its_canonical_form(ask: Ask) -> None:
    response = ask("POST", "/translate", {"query": "hostname=octoxlabs*", "index": INDEX})
    assert response.status_code == 200
    assert response.json() == {
        "query": {"prefix": {"Hostname": "octoxlabs"}},
        "fields": ["Hostname"],
        "canonical": "hostname = octoxlabs*",
        "notices": [],
    }


def test_a_translation_says_what_the_query_probably_does_not_mean(ask: Ask) -> None:
    (notice,) = ask("POST", "/translate", {"query": "Site = 'an*'"}).json()["notices"]
    assert (notice["code"], notice["position"], notice["end"], notice["suggestion"]) == (
        "quoted_wildcard",
        7,
        12,
        "an*",
    )


def test_translation_heeds_letter_case_as_it_is_told(ask: Ask) -> None:
    answer = ask("POST", "/translate", {"query": "Hostname = A", "case_insensitive": True}).json()
    assert answer["query"] == {"term": {"Hostname": {"value": "A", "case_insensitive": True}}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Hostname =", "syntax"),
        ("Hostnme = a", "unknown_field"),
        ("Managed > true", "unsupported_operator"),
        ("Ip = nowhere", "type_mismatch"),
        ("x" * 1_048_500, "too_complex"),
    ],
)
def test_a_query_that_cannot_be_translated_is_shown_where_it_is_wrong(query: str, code: str, ask: Ask) -> None:
    response = ask("POST", "/translate", {"query": query})
    assert is_problem(response, 400, code)
    problem = response.json()
    assert "query_id" not in problem
    if code != "too_complex":
        assert problem["caret"].splitlines()[0] == query
        assert 0 <= problem["position"] <= problem["end"] <= len(query)


def test_an_unknown_field_is_answered_with_the_closest(ask: Ask) -> None:
    problem = ask("POST", "/translate", {"query": "Site = ankara AND Hostnme = a"}).json()
    assert (problem["position"], problem["end"], problem["suggestions"]) == (18, 25, ["Hostname"])


def test_completion_offers_fields_operators_and_keywords(complete: Ask) -> None:
    assert _texts(complete("Hostna")) == ["Hostname"]
    assert _texts(complete("Managed ")) == ["=", "!=", "IN", "NOT IN", "EXISTS", "NOT EXISTS"]
    assert _texts(complete("Managed = true ")) == ["AND", "OR"]
    assert complete("Hostna").json() == {
        "start": 0,
        "end": 6,
        "suggestions": [{"text": "Hostname", "kind": "field", "type": "keyword"}],
        "complete": True,
        "values_of": None,
    }


def test_text_after_the_cursor_does_not_count(ask: Ask) -> None:
    answer = ask("POST", "/complete", {"query": "Hostna = octoxlabs*", "cursor": 6}).json()
    assert (answer["start"], answer["end"], answer["suggestions"][0]["text"]) == (0, 6, "Hostname")


def test_completion_offers_the_values_of_the_index_that_was_asked_for(complete: Ask) -> None:
    response = complete("Site = an")
    assert _texts(response) == ["ankara"]
    assert response.json()["values_of"] == "Site"
    assert set(_texts(complete("Site IN (", index=INDEX))) == {"ankara", "istanbul", "london", "frankfurt", "austin"}


def test_a_completion_says_whether_it_is_complete(complete: Ask) -> None:
    assert complete("Site = ").json()["complete"] is True
    assert complete("Hostname = ").json()["complete"] is False
    assert complete("").json()["complete"] is False
    assert complete("Managed ").json()["complete"] is True


def test_values_are_bounded(complete: Ask) -> None:
    assert len(_texts(complete("Hostname = "))) == 20


def test_text_that_is_wrong_before_the_cursor_has_no_completion(complete: Ask) -> None:
    assert _texts(complete("Site ankara = ")) == []


@pytest.mark.parametrize(
    ("query", "suggestions"),
    [("Site = an", 1), ("Site = nowhere", 0), ("Site IN (ankara, ", 5), ("Labels.env = pr", 1)],
)
def test_a_value_look_up_is_one_event(query: str, suggestions: int, complete: Ask, find_events: FindEvents) -> None:
    response = complete(query)
    assert len(_texts(response)) == suggestions
    (event,) = find_events(response["X-Request-ID"])
    assert (event["event_type"], event["user_id"], event["key"]) == ("query.executed", "octoAdmin", b"octoAdmin")
    assert event["data"] == {
        "query": query,
        "index": INDEX,
        "dsl": None,
        "hits": suggestions,
        "took_ms": None,
        "status": 200,
        "error": None,
        "target": None,
    }


@pytest.mark.parametrize("query", ["", "Hostna", "Managed = ", "Managed = t", "Ip = ", "Site ankara = ", 'Site = "an'])
def test_a_completion_without_a_look_up_is_no_event(query: str, complete: Ask, find_events: FindEvents) -> None:
    response = complete(query)
    assert response.json()["values_of"] is None
    assert not find_events(response["X-Request-ID"])


@pytest.mark.parametrize("request_of", [FIELDS, TRANSLATE])
def test_neither_fields_nor_translations_are_events(request_of: Any, ask: Ask, find_events: FindEvents) -> None:
    response = ask(*request_of)
    assert response.status_code == 200
    assert not find_events(response["X-Request-ID"])


@pytest.mark.parametrize("index", ["query-logs-2026.01.01", "_all", "devices-gateway,query-logs", "*", "../_cluster"])
def test_an_index_that_is_not_granted_is_forbidden(index: str, ask: Ask, complete: Ask) -> None:
    assert is_problem(ask("GET", f"/fields?index={index}"), 403, "forbidden")
    assert is_problem(ask("POST", "/translate", {"query": "", "index": index}), 403, "forbidden")
    assert is_problem(complete("Site = ", index=index), 403, "forbidden")


def test_a_completion_in_a_forbidden_index_is_an_event(complete: Ask, find_events: FindEvents) -> None:
    response = complete("user.name = ", index="query-logs-2026.01.01")
    (event,) = find_events(response["X-Request-ID"])
    assert event["event_type"] == "query.denied"
    assert event["event_id"] == response.json()["query_id"]
    assert (event["data"]["query"], event["data"]["index"]) == ("user.name = ", "query-logs-2026.01.01")
    assert (event["data"]["status"], event["data"]["error"]["code"]) == (403, "forbidden")


def test_an_index_that_is_not_there_is_not_found(ask: Ask, complete: Ask) -> None:
    assert is_problem(ask("GET", "/fields?index=not-there"), 404, "not_found")
    assert is_problem(ask("POST", "/translate", {"query": "", "index": "not-there"}), 404, "not_found")
    assert is_problem(complete("", index="not-there"), 404, "not_found")


@pytest.mark.parametrize("path", ["/complete", "/translate"])
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ((b"", "application/json"), (400, "malformed")),
        ((b"{", "application/json"), (400, "malformed")),
        ((b"[]", "application/json"), (400, "malformed")),
        ((b"null", "application/json"), (400, "malformed")),
        ((b'{"query": "\\ud800", "cursor": 0}', "application/json"), (400, "malformed")),
        ((b'{"query": "", "query": "a"}', "application/json"), (400, "malformed")),
        ((b'{"query": "", "cursor": 1}', "application/json"), (400, "malformed")),
        ((b'{"cursor": 0}', "application/json"), (400, "malformed")),
        ((b'{"query": "", "cursor": 0, "size": 1}', "application/json"), (400, "malformed")),
        ((b"query=a", "application/x-www-form-urlencoded"), (415, "unsupported_media_type")),
        ((b" " * (1024 * 1024 + 1), "application/json"), (413, "too_large")),
    ],
)
def test_a_body_that_breaks_the_contract_is_a_problem_and_no_event(
    path: str, sent: tuple[bytes, str], expected: tuple[int, str], ask: Ask, find_events: FindEvents
) -> None:
    response = ask("POST", path, *sent)
    assert is_problem(response, *expected)
    assert not find_events(response["X-Request-ID"])


@pytest.mark.parametrize("asked", [FIELDS, COMPLETE, TRANSLATE])
def test_without_the_translator_nothing_of_it_is_available(
    asked: Any, ask: Ask, stack: Settings, closed_port: int, find_events: FindEvents
) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"translator_url": f"http://127.0.0.1:{closed_port}"})
    response = ask(*asked)
    assert is_problem(response, 503, "translator_unavailable")
    assert int(response["Retry-After"]) > 0
    if asked is not COMPLETE:
        assert not find_events(response["X-Request-ID"])


def test_a_completion_that_fails_is_an_event_as_it_may_have_been_a_look_up_of_values(
    complete: Ask, stack: Settings, closed_port: int, find_events: FindEvents
) -> None:
    with in_front_of(stack.GATEWAY.translator_url) as slow:
        stack.GATEWAY = stack.GATEWAY.model_copy(update={"translator_url": slow.url, "request_timeout": 0.5})
        slow.held.clear()
        late = complete("Site = an")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"translator_url": f"http://127.0.0.1:{closed_port}"})
    away = complete("Site = an")
    for response, code in ((late, "deadline"), (away, "translator_unavailable")):
        assert is_problem(response, 503, code)
        (event,) = find_events(response["X-Request-ID"])
        assert event["event_id"] == response.json()["query_id"]
        assert event["event_type"] == "query.failed"
        assert (event["data"]["query"], event["data"]["index"]) == ("Site = an", INDEX)
        assert (event["data"]["status"], event["data"]["error"]["code"]) == (503, code)


def test_values_do_not_leave_without_kafka_and_disk_and_everything_else_does(
    ask: Ask, complete: Ask, stack: Settings, closed_port: int
) -> None:
    stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 0.5, "spool_bytes": 1})
    response = complete("Site = an")
    assert is_problem(response, 503, "audit_unavailable")
    assert b"ankara" not in response.content
    assert is_problem(complete("Site = an", index="users"), 503, "audit_unavailable")
    assert complete("Sit").status_code == ask(*FIELDS).status_code == ask(*TRANSLATE).status_code == 200


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("asked", [FIELDS, COMPLETE, TRANSLATE])
@pytest.mark.parametrize("authorization", [None, "Octoxlabs bm9ib2R5", "Bearer x"])
def test_an_unknown_caller_is_told_how_to_come_in(asked: Any, authorization: str | None, client: Client) -> None:
    method, path, body = asked
    headers = {} if authorization is None else {"Authorization": authorization}
    response = client.generic(method, path, orjson.dumps(body), "application/json", headers=headers)
    assert is_problem(response, 401, "unauthenticated")
    assert response["WWW-Authenticate"].startswith("Octoxlabs")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("OPTIONS", "/fields"),
        ("OPTIONS", "/complete"),
        ("OPTIONS", "/translate"),
        ("HEAD", "/complete"),
        ("HEAD", "/translate"),
        ("GET", "/complete"),
        ("GET", "/translate"),
        ("POST", "/fields"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_refused_with_those_that_it_has(method: str, path: str, ask: Ask) -> None:
    response = ask(method, path)
    assert response.status_code == 405
    assert response["Content-Type"] == "application/problem+json"
    assert response["Allow"] == ("GET, HEAD" if path == "/fields" else "POST")


def test_head_of_the_fields_is_get_without_a_body(ask: Ask) -> None:
    response = ask("HEAD", "/fields")
    assert (response.status_code, response["Content-Type"], response.content) == (200, "application/json", b"")
