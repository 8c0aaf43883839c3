"""Answers of the translator, and what they mean."""

from http import HTTPStatus
from typing import Any

import orjson
import pytest

from gateway.http.circuit_breaker import FAILURES, Circuit
from gateway.http.problems import RETRY_AFTER_SECONDS, Code, Problem, RejectedQuery, Unavailable
from gateway.search.translator_client import CATALOGUE, COMPLETION, TRANSLATION, Members, read_answer

_ANSWERS: list[tuple[Members, dict[str, Any]]] = [
    (
        TRANSLATION,
        {"query": {"match_all": {}}, "names": [], "canonical": "", "notices": [], "sort": [], "source": True},
    ),
    (COMPLETION, {"start": 0, "end": 1, "suggestions": [], "complete": True, "values_of": None}),
    (COMPLETION, {"start": 7, "end": 9, "suggestions": [{"text": "a"}], "complete": False, "values_of": "Site"}),
    (CATALOGUE, {"index": "devices", "fields": [{"name": "Site"}]}),
]


@pytest.mark.parametrize(("members", "answer"), _ANSWERS)
def test_an_answer_is_taken_without_what_the_contract_does_not_have(members: Members, answer: dict[str, Any]) -> None:
    assert read_answer(200, orjson.dumps(answer | {"secret": 1}), members) == answer


@pytest.mark.parametrize(
    ("members", "answer", "missing"),
    [(members, answer, name) for members, answer in _ANSWERS for name in members],
)
def test_an_answer_without_one_of_its_members_is_not_taken(
    members: Members, answer: dict[str, Any], missing: str
) -> None:
    rest = {name: value for name, value in answer.items() if name != missing}
    with pytest.raises(Unavailable) as down:
        read_answer(200, orjson.dumps(rest), members)
    assert down.value.code == Code.TRANSLATOR_UNAVAILABLE


@pytest.mark.parametrize("code", ["syntax", "unknown_field", "unsupported_operator", "type_mismatch", "too_complex"])
def test_a_rejection_keeps_its_place_and_its_picture_and_nothing_else(code: str) -> None:
    place = {"position": 4, "end": 9, "line": 1, "column": 5, "caret": "x = y\n    ^", "suggestions": ["z"]}
    body = orjson.dumps({"code": code, "detail": "no", "status": 422, "title": "?", "secret": 1, **place})
    with pytest.raises(RejectedQuery) as rejected:
        read_answer(422, body, TRANSLATION)
    assert (rejected.value.status, rejected.value.code, rejected.value.detail) == (400, code, "no")
    assert rejected.value.members == place


def test_a_translator_with_too_many_long_queries_is_not_down() -> None:
    body = orjson.dumps({"code": "overloaded", "detail": "Too many long queries at once; try again.", "status": 503})
    circuit = Circuit("translator", Code.TRANSLATOR_UNAVAILABLE)
    for _ in range(FAILURES + 1):
        with pytest.raises(Unavailable, match="Too many long queries") as refused, circuit.closed():
            read_answer(503, body, TRANSLATION)
        assert refused.value.code is Code.OVERLOADED


def test_a_name_that_does_not_do_in_sort_or_fields_is_the_caller_s_mistake() -> None:
    body = {"code": "malformed", "detail": "sort: no order", "status": 422, "title": "?"}
    with pytest.raises(RejectedQuery) as rejected:
        read_answer(422, orjson.dumps(body), TRANSLATION)
    assert (rejected.value.status, rejected.value.code, rejected.value.members) == (400, Code.MALFORMED, {})


def test_an_unknown_index_is_not_found() -> None:
    with pytest.raises(Problem) as missing:
        read_answer(404, b'{"code": "not_found", "detail": "there is no index x"}', TRANSLATION)
    assert (missing.value.status, missing.value.detail) == (404, "there is no index x")


def test_its_elasticsearch_being_down_is_passed_on() -> None:
    with pytest.raises(Unavailable) as down:
        read_answer(503, b'{"code": "search_unavailable", "detail": "down"}', TRANSLATION)
    assert down.value.code == Code.SEARCH_UNAVAILABLE
    assert down.value.headers == {"Retry-After": str(RETRY_AFTER_SECONDS)}


def test_a_query_that_is_too_long_for_it_is_too_complex() -> None:
    with pytest.raises(RejectedQuery) as rejected:
        read_answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b'{"code": "too_large", "detail": "too large"}', TRANSLATION)
    assert rejected.value.code == Code.TOO_COMPLEX


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"query": "", "names": [], "canonical": "", "notices": [], "sort": [], "source": true}'),
        (400, b'{"code": "malformed", "detail": "x"}'),
        (404, b"404 page not found"),
        (422, b'{"code": "invented", "detail": "x"}'),
        (422, b'{"code": ["syntax"], "detail": "x"}'),
        (500, b'{"code": "internal", "detail": "Traceback (most recent call last)"}'),
        (502, b"Bad gateway"),
        (302, b""),
    ],
)
def test_anything_else_is_a_translator_that_does_not_work(status: int, body: Any) -> None:
    with pytest.raises(Unavailable) as down:
        read_answer(status, body, TRANSLATION)
    assert down.value.code == Code.TRANSLATOR_UNAVAILABLE
    assert "Traceback" not in down.value.detail
