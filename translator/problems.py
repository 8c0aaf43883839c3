"""Errors as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from translator.errors import QueryError, RefusedName

RETRY_AFTER_SECONDS = 1


@dataclass(eq=False)
class Problem(Exception):
    """A request that is answered with an error: `code` says why to programs, `detail` to people."""

    status: HTTPStatus
    code: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    """More members of the problem object."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Response headers that belong to the status."""

    def response(self) -> Response:
        """The problem as a response."""
        body = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "code": self.code,
            **self.members,
        }
        return Response(orjson.dumps(body), self.status.value, self.headers, media_type="application/problem+json")


def malformed(detail: str) -> Problem:
    """A request that is not what the contract asks for."""
    return Problem(HTTPStatus.BAD_REQUEST, "malformed", detail)


def rejected(error: QueryError) -> Problem:
    """A query that is rejected."""
    members = error.as_dict()
    detail = str(members.pop("message"))
    code = str(members.pop("code"))
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, members=members)


def refused(error: RefusedName) -> Problem:
    """A search whose `sort` or `fields` is refused."""
    members = {"suggestions": error.suggestions} if error.suggestions else {}
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, error.message, members=members)


def unknown_index(index: str) -> Problem:
    """An index that Elasticsearch does not have."""
    return Problem(HTTPStatus.NOT_FOUND, "not_found", f"there is no index {index}")


def search_unavailable() -> Problem:
    """Elasticsearch is needed and cannot be reached."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "search_unavailable",
        "Elasticsearch cannot be reached, and the fields of this index are not known yet; try again",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def overloaded() -> Problem:
    """Problem of a full queue of long queries."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "overloaded",
        "too many long queries wait for the translator; try again",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
