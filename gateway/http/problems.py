"""Errors of the gateway: RFC 9457 problem details, with a code from a closed list.

    Problem                    what a view raises; carries status, code and detail
    ├── RejectedQuery          the translator's verdict on a query, passed through with position and caret
    └── Unavailable            a dependency is down; says when to come back

Exceptions of Django and of Django REST framework are turned into the same shape.

Why: a fault of the gateway itself has the code ``internal`` and no detail, which is only in the log. Any other code
would tell programs to retry or to change the request, and no client reads a bare 500 page. 405 carries ``malformed``.
"""

import logging
from collections.abc import Iterator, Mapping
from enum import StrEnum
from http import HTTPStatus
from itertools import islice
from typing import Any

import orjson
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, DataError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.settings import api_settings

from gateway.http.metrics import PROBLEMS

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MAX_DETAIL_CHARACTERS = 1_000
"""Of a problem's ``detail``, which may quote what was sent; what is over that is left out."""
_MAX_MESSAGES = 5
RETRY_AFTER_SECONDS = 5


class Code(StrEnum):
    """Error codes for programs; a name changes only with the version of the contract."""

    SYNTAX = "syntax"
    UNKNOWN_FIELD = "unknown_field"
    UNSUPPORTED_OPERATOR = "unsupported_operator"
    TYPE_MISMATCH = "type_mismatch"
    TOO_COMPLEX = "too_complex"
    MALFORMED = "malformed"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    TOO_LARGE = "too_large"
    UNAUTHENTICATED = "unauthenticated"
    TOKEN_EXPIRED = "token_expired"
    FACTOR_REQUIRED = "factor_required"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CURSOR_EXPIRED = "cursor_expired"
    GONE = "gone"
    PRECONDITION_FAILED = "precondition_failed"
    PRECONDITION_REQUIRED = "precondition_required"
    DOCUMENT_INVALID = "document_invalid"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    SCHEMA_INCOMPATIBLE = "schema_incompatible"
    REFERENTIAL = "referential"
    TREE_TOO_LARGE = "tree_too_large"
    INDEX_BEHIND = "index_behind"
    FEED_EXPIRED = "feed_expired"
    MISDIRECTED = "misdirected"
    THROTTLED = "throttled"
    OVERLOADED = "overloaded"
    SEARCH_UNAVAILABLE = "search_unavailable"
    TRANSLATOR_UNAVAILABLE = "translator_unavailable"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    AUDIT_UNAVAILABLE = "audit_unavailable"
    DEADLINE = "deadline"
    INTERNAL = "internal"


REJECTIONS = frozenset(
    (Code.SYNTAX, Code.UNKNOWN_FIELD, Code.UNSUPPORTED_OPERATOR, Code.TYPE_MISMATCH, Code.TOO_COMPLEX)
)
"""Codes for which the translator rejects a query text."""


class Problem(Exception):
    """An answer other than the one that was asked for.

    Args:
        status: the HTTP status.
        code: for programs.
        detail: for people: what was wrong, where, and what to do.
        headers: response headers that belong to the status.
        members: extension members of the problem object.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: Code,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        if len(detail) > MAX_DETAIL_CHARACTERS:
            detail = f"{detail[: MAX_DETAIL_CHARACTERS - 1]}…"
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})


class RejectedQuery(Problem):
    """The query text cannot be run; ``members`` say where and why (position, end, line, column, caret, suggestions)."""

    def __init__(self, code: Code, detail: str, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, code, detail, members=members)


class Unavailable(Problem):
    """Something that the answer needs cannot be reached; the same request may succeed later."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE, code, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
        )


class Unanswered(Unavailable):
    """Missing answer to one request, which says nothing of the health of the service."""


def malformed(detail: str) -> Problem:
    """The problem of a request that breaks the contract."""
    return Problem(HTTPStatus.BAD_REQUEST, Code.MALFORMED, detail)


def throttled(who: str, rate: str, seconds: int) -> Problem:
    """The problem of asking too often.

    Args:
        who: asks too often, at the beginning of a sentence.
        rate: how often that may be done, such as "600/minute".
        seconds: after which it may be done again.
    """
    often = rate.replace("/", " times a ")
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        Code.THROTTLED,
        f"{who} may ask {often}; try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def problem_object(problem: Problem, query_id: str | None = None) -> dict[str, Any]:
    """Write a problem down as the members of a JSON object.

    Args:
        problem: what went wrong.
        query_id: the id of the request's audit event, where there is one.
    """
    members = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
        "code": problem.code.value,
    }
    if query_id is not None:
        members["query_id"] = query_id
    return members | problem.members


def problem_response(problem: Problem, query_id: str | None = None) -> HttpResponse:
    """Answer with a problem; the arguments are those of ``problem_object``."""
    PROBLEMS.labels(problem.code).inc()
    body = orjson.dumps(problem_object(problem, query_id))
    response = HttpResponse(body, content_type=MEDIA_TYPE, status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def as_problem(error: Exception) -> Problem:
    """Turn any exception into the problem that a client may see; what is a fault of ours is logged with its trace."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.NotAuthenticated):
        error.detail = exceptions.ErrorDetail(
            'Say who you are: send "Authorization: Bearer <token>"; tokens come from POST /auth/token.'
        )
    if isinstance(error, exceptions.APIException):
        return _from_rest_framework(error)
    if isinstance(error, Http404):
        return Problem(
            HTTPStatus.NOT_FOUND,
            Code.NOT_FOUND,
            "There is nothing at this path; /docs/ lists what there is, also for the octoxlabs client.",
        )
    if isinstance(error, SuspiciousOperation):
        return malformed("The request's host, path or parameters are not acceptable.")
    if isinstance(error, DatabaseError):
        return _from_database(error)
    logger.error("unexpected %s", error.__class__.__name__, exc_info=error)
    return _fault()


def _from_database(error: DatabaseError) -> Problem:
    if isinstance(error, DataError):
        return malformed("The request has a value that the database cannot hold, such as the character NUL.")
    logger.error("the user database cannot be read: %s", _database_code(error))
    return Unavailable(Code.OVERLOADED, "The user database cannot be read right now; try again.")


def _database_code(error: DatabaseError) -> str:
    """Describe an error of the database without its own words, which quote the statement and so a name."""
    cause = error.__cause__
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return f"{error.__class__.__name__} {code or ''}".strip()


def _fault() -> Problem:
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, Code.INTERNAL, "The gateway failed; its log says why.")


_REST_FRAMEWORK_CODES = {
    HTTPStatus.UNAUTHORIZED: Code.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: Code.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Code.UNSUPPORTED_MEDIA_TYPE,
}


def _from_rest_framework(error: exceptions.APIException) -> Problem:
    status = HTTPStatus(error.status_code)
    auth_header = getattr(error, "auth_header", None)
    return Problem(
        status,
        Code.TOKEN_EXPIRED
        if error.get_codes() == Code.TOKEN_EXPIRED
        else _REST_FRAMEWORK_CODES.get(status, Code.MALFORMED),
        "; ".join(islice(_messages(error.detail), _MAX_MESSAGES)),
        headers={"WWW-Authenticate": auth_header} if auth_header else None,
    )


def _messages(detail: Any, member: str = "") -> Iterator[str]:
    """The messages of a nested error detail, each after the path of its member, such as ``sort[0]``."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _messages(value, _path(member, key))
    elif isinstance(detail, list):
        for value in detail:
            yield from _messages(value, member)
    else:
        yield f"{member}: {detail}" if member else str(detail)


def _path(member: str, key: str | int) -> str:
    if key == api_settings.NON_FIELD_ERRORS_KEY:
        return member
    if isinstance(key, int):
        return f"{member}[{key}]"
    return f"{member}.{key}" if member else key


def exception_handler(error: Exception, _context: Mapping[str, Any]) -> HttpResponse:
    """Answer for an exception in a view of Django REST framework (its setting EXCEPTION_HANDLER)."""
    return problem_response(as_problem(error))


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for a request that Django itself refuses (its ``handler400``)."""
    del exception
    return problem_response(malformed("The request's host, path or parameters are not acceptable."))


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for a path that leads nowhere (Django's ``handler404``)."""
    del exception
    return problem_response(as_problem(Http404()))


def server_error(_request: HttpRequest) -> HttpResponse:
    """Answer for a fault outside every view (Django's ``handler500``)."""
    return problem_response(_fault())
