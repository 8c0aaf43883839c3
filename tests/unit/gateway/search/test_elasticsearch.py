"""What Elasticsearch is asked, and what its errors mean to a caller."""

import logging
from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import ApiError

from gateway.search.elasticsearch import copy_preference, read_error


def _error(status: int, body: Any) -> ApiError:
    node = NodeConfig("http", "127.0.0.1", 9200)
    return ApiError("secret", ApiResponseMeta(status, "1.1", HttpHeaders(), 0.1, node), body)


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
        (429, _caused_by("es_rejected_execution_exception"), (503, "search_unavailable")),
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
        problem = read_error(_error(status, body))
    assert (problem.status, problem.code) == expected
    assert "secret" not in problem.detail


def test_a_query_prefers_the_same_copies_of_the_shards_each_time_and_another_query_others() -> None:
    first, second = {"term": {"Hostname": "a"}}, {"term": {"Hostname": "b"}}
    assert copy_preference(first) == copy_preference(dict(first)) != copy_preference(second)
    assert not copy_preference(first).startswith("_"), "Elasticsearch keeps such names for itself"
