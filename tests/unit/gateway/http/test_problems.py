"""One shape for every error."""

import logging
from http import HTTPStatus
from typing import Any

import orjson
import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from django.test import Client
from rest_framework import exceptions

from gateway.http.problems import (
    Code,
    Problem,
    RejectedQuery,
    Unavailable,
    as_problem,
    malformed,
    problem_response,
    server_error,
)


def _shape(error: Exception) -> tuple[int, str]:
    problem = as_problem(error)
    return problem.status, problem.code


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "x"), (404, "not_found")),
        (exceptions.ParseError(), (400, "malformed")),
        (exceptions.ValidationError({"size": ["no"]}), (400, "malformed")),
        (exceptions.NotAuthenticated(), (401, "unauthenticated")),
        (exceptions.AuthenticationFailed(), (401, "unauthenticated")),
        (exceptions.PermissionDenied(), (403, "forbidden")),
        (exceptions.NotFound(), (404, "not_found")),
        (exceptions.MethodNotAllowed("PUT"), (405, "malformed")),
        (exceptions.UnsupportedMediaType("x/y"), (415, "unsupported_media_type")),
        (Http404("secret"), (404, "not_found")),
        (SuspiciousOperation("secret"), (400, "malformed")),
        (OperationalError("secret"), (503, "overloaded")),
        (RuntimeError("secret"), (500, "internal")),
    ],
)
def test_every_exception_has_its_status_and_code_and_keeps_its_secrets(
    error: Exception, expected: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL, "gateway.http.problems"):
        assert _shape(error) == expected
        assert "secret" not in as_problem(error).detail


def test_messages_name_the_member_that_they_are_about() -> None:
    detail: Any = {"sort": {1: ["too long"]}, "size": ["too large", "odd"]}
    error = exceptions.ValidationError(detail)
    assert as_problem(error).detail == "sort[1]: too long; size: too large; size: odd"


def test_messages_about_the_whole_body_name_no_member() -> None:
    detail: Any = {"non_field_errors": ["no object"], "ordering": {2: {"non_field_errors": ["odd"]}}}
    error = exceptions.ValidationError(detail)
    assert as_problem(error).detail == "no object; ordering[2]: odd"


def test_an_unexpected_error_is_logged_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise RuntimeError("what happened")
    except RuntimeError as error:
        as_problem(error)
    assert "what happened" in caplog.text
    assert "Traceback" in caplog.text


def _body_of(problem: Problem, query_id: str | None = None) -> Any:
    return orjson.loads(problem_response(problem, query_id).content)


def test_the_body_is_as_rfc_9457_has_it_with_the_members_of_the_contract() -> None:
    rejected = RejectedQuery(Code.SYNTAX, "expected a value", {"position": 3, "caret": "x =\n   ^"})
    assert _body_of(rejected, "0192") == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "expected a value",
        "code": "syntax",
        "query_id": "0192",
        "position": 3,
        "caret": "x =\n   ^",
    }


def test_there_is_no_query_id_where_there_is_no_event() -> None:
    assert "query_id" not in _body_of(RejectedQuery(Code.SYNTAX, "x"))


def test_a_client_that_is_told_to_come_back_is_told_when() -> None:
    assert int(problem_response(Unavailable(Code.AUDIT_UNAVAILABLE, "x"))["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", "/search/", (404, "not_found")),
        ("GET", "/%ff%00", (404, "not_found")),
        ("GET", "/../etc/passwd", (404, "not_found")),
        ("GET", "/static/../gateway/settings.py", (404, "not_found")),
        ("POST", "/healthz", (405, "malformed")),
        ("DELETE", "/readyz", (405, "malformed")),
        ("OPTIONS", "/healthz", (405, "malformed")),
        ("GET", "/search", (401, "unauthenticated")),
    ],
)
def test_every_wrong_turn_is_answered_with_a_problem(
    method: str, path: str, expected: tuple[int, str], client: Client
) -> None:
    response = client.generic(method, path)
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["code"]) == expected
    assert problem["status"] == response.status_code


def test_a_fault_outside_every_view_has_the_same_shape() -> None:
    response = server_error(None)  # type: ignore[arg-type]  # the request is of no interest
    assert response.status_code == 500
    assert orjson.loads(response.content)["code"] == "internal"


def test_a_detail_has_the_first_messages_and_an_end_whatever_was_sent() -> None:
    many = exceptions.ValidationError({"fields": {str(number): ["no"] for number in range(500)}})
    assert as_problem(many).detail == "fields.0: no; fields.1: no; fields.2: no; fields.3: no; fields.4: no"
    for error in (exceptions.ValidationError({"order": ["x" * 1_000_000]}), malformed("x" * 1_000_000)):
        assert len(as_problem(error).detail) == 1_000
