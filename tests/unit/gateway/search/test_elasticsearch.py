"""Requests to Elasticsearch, and what its errors mean to a caller."""

import logging
from typing import Any

import orjson
import pytest
from pytest_django import Settings

from elastic.settings import ElasticsearchSettings
from gateway.http.circuit_breaker import FAILURES
from gateway.http.correlation import Correlation, correlated
from gateway.http.problems import Problem, Unanswered
from gateway.search.elasticsearch import copy_preference, perform, read_error
from tests.support.http_server import ElasticsearchHandler, serving


def _caused_by(kind: str) -> dict[str, Any]:
    shard = {"reason": {"type": "query_shard_exception", "reason": "secret", "caused_by": {"type": kind}}}
    return {"error": {"type": "search_phase_execution_exception", "reason": "secret", "failed_shards": [shard]}}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, {"error": {"type": "index_not_found_exception", "reason": "secret"}}, (404, "not_found")),
        (400, _caused_by("too_complex_to_determinize_exception"), (400, "too_complex")),
        (400, _caused_by("too_many_clauses"), (400, "too_complex")),
        (500, _caused_by("too_many_nested_clauses"), (400, "too_complex")),
        (400, _caused_by("date[2326] cannot be stored in nanosecond resolution"), (400, "type_mismatch")),
        (400, _caused_by("parse_exception"), (400, "malformed")),
        (401, {"error": {"type": "security_exception", "reason": "secret"}}, (503, "search_unavailable")),
        (403, {"error": {"type": "security_exception", "reason": "secret"}}, (503, "search_unavailable")),
        (429, _caused_by("es_rejected_execution_exception"), (503, "overloaded")),
        (503, _caused_by("es_rejected_execution_exception"), (503, "overloaded")),
        (429, _caused_by("circuit_breaking_exception"), (400, "too_complex")),
        (503, _caused_by("circuit_breaking_exception"), (400, "too_complex")),
        (429, {"error": {"type": "circuit_breaking_exception", "reason": "secret"}}, (400, "too_complex")),
        (429, "secret", (503, "search_unavailable")),
        (500, _caused_by("null_pointer_exception"), (503, "search_unavailable")),
        (503, "upstream connect error: secret", (503, "search_unavailable")),
        (504, _caused_by("search_timeout_exception"), (503, "search_unavailable")),
        (504, None, (503, "search_unavailable")),
    ],
)
def test_an_error_has_its_status_and_code_and_keeps_its_text(
    status: int, body: Any, expected: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL, "gateway.search.elasticsearch"):
        problem = read_error(status, orjson.dumps(body))
    assert (problem.status, problem.code) == expected
    assert "secret" not in problem.detail


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503, 504])
def test_no_answer_is_an_outage_by_itself(status: int) -> None:
    problem = read_error(status, b"")
    assert isinstance(problem, Unanswered), "only Elasticsearch's health says that it is out"


def test_a_query_prefers_the_same_copies_of_the_shards_each_time_and_another_query_others() -> None:
    first, second = {"term": {"Hostname": "a"}}, {"term": {"Hostname": "b"}}
    assert copy_preference(first) == copy_preference(dict(first)) != copy_preference(second)
    assert not copy_preference(first).startswith("_"), "Elasticsearch keeps such names for itself"


class _Ill(ElasticsearchHandler):
    """An Elasticsearch whose searches fail, and whose health is asked for."""

    search: tuple[int, object]
    health: tuple[int, object]

    def do_POST(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
        """A search."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body = self.search
        self.answer(body, status)

    def do_GET(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
        """The health."""
        status, body = self.health
        self.answer(body, status)


def _fail(settings: Settings, search: tuple[int, object], health: tuple[int, object]) -> list[str]:
    """The details of the problems of one more search than it takes to give a dependency up."""
    handler = type("_Handler", (_Ill,), {"search": search, "health": health})
    with serving(handler) as url:
        settings.ELASTICSEARCH = ElasticsearchSettings(url=url)
        details = []
        for _ in range(FAILURES + 1):
            with pytest.raises(Problem) as failed, correlated(Correlation("a request", None, None)):
                perform("POST", "/devices/_search", {})
            details.append(failed.value.detail)
    return details


_GREEN = (200, {"status": "green"})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, _caused_by("es_rejected_execution_exception")),
        (429, _caused_by("circuit_breaking_exception")),
        (500, _caused_by("null_pointer_exception")),
        (503, {"error": {"type": "search_phase_execution_exception", "reason": "all shards failed"}}),
        (504, _caused_by("search_timeout_exception")),
        (403, {"error": {"type": "security_exception", "reason": "not this index"}}),
    ],
)
@pytest.mark.parametrize("health", [_GREEN, (200, {"status": "yellow"}), (429, _caused_by("too much"))])
def test_answers_are_no_outage_while_the_health_is_good(
    status: int, body: object, health: tuple[int, object], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.search.elasticsearch._MEMORY_SECONDS", 0.0)
    assert not any("left alone" in detail for detail in _fail(settings, (status, body), health))


@pytest.mark.parametrize("health", [(200, {"status": "red"}), (503, {}), (401, {}), (500, {})])
def test_answers_are_an_outage_where_the_health_says_so(health: tuple[int, object], settings: Settings) -> None:
    assert "left alone" in _fail(settings, (503, {"error": {"type": "unavailable_shards_exception"}}), health)[-1]
