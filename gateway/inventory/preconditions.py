"""Preconditions of requests (RFC 9110, section 13) on documents, whose strong ETag is their version: ``"7"``.

request                       absent  version matches  other version  deleted
GET, HEAD                     404     200 or 304       200            410
PUT without precondition      201     428              428            201
PUT If-None-Match: *          201     412              412            201
PUT If-Match                  412     200              412            412
PATCH, DELETE If-Match        404     200, 204         412            410
PATCH, DELETE without         404     428              428            410
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

from rest_framework.request import Request

from gateway.http.preconditions import ETags, read_etags
from gateway.http.problems import Code, Problem, malformed


@dataclass(frozen=True, slots=True)
class State:
    """State of a document: version 0 if it never was there."""

    version: int
    is_live: bool


ABSENT = State(0, is_live=False)


@dataclass(frozen=True, slots=True)
class Preconditions:
    """Preconditions of one request."""

    if_match: ETags | None = None
    if_none_match: ETags | None = None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read a request's headers.

        Raises:
            Problem: 400, one is no list of ETags.
        """
        return cls(read_etags(request, "If-Match"), read_etags(request, "If-None-Match"))

    def check_put(self, state: State) -> None:
        """Let a ``PUT`` write.

        Raises:
            Problem: 412, 428.
        """
        if state.is_live:
            self._check_live(state)
        elif self.if_match is not None:
            raise Problem(
                HTTPStatus.PRECONDITION_FAILED,
                Code.PRECONDITION_FAILED,
                "It does not exist; leave If-Match out to create it.",
            )

    def check_declaration(self, state: State) -> None:
        """Let a ``PUT`` of a type write, whose ETag is its ``schema_version`` and whose preconditions can be left out.

        Raises:
            Problem: 412.
        """
        if self.if_match is not None or self.if_none_match is not None:
            self.check_put(state)

    def check_change(self, state: State) -> None:
        """Let a ``PATCH`` or ``DELETE`` write.

        Raises:
            Problem: 404, 410, 412, 428.
        """
        require_live(state)
        self._check_live(state)

    def is_fresh(self, state: State) -> bool:
        """Whether the reader of a document has it already, as ``If-None-Match`` says.

        Raises:
            Problem: 412, If-Match names another version.
        """
        if self.if_match is not None and not self.if_match.match_strongly(str(state.version)):
            raise _failed(state)
        tags = self.if_none_match
        return tags is not None and (tags.any or str(state.version) in tags.all)

    def _check_live(self, state: State) -> None:
        if self.if_none_match is not None:
            if not self.if_none_match.any:
                raise malformed("If-None-Match of a write is * alone; to name a version takes If-Match.")
            raise _failed(state)
        if self.if_match is None:
            raise Problem(
                HTTPStatus.PRECONDITION_REQUIRED,
                Code.PRECONDITION_REQUIRED,
                "The document is there; to change it, send If-Match with the ETag of the version that you have read.",
            )
        if not self.if_match.match_strongly(str(state.version)):
            raise _failed(state)


NONE = Preconditions()
"""No precondition."""
CREATE = Preconditions(if_none_match=ETags(any=True, strong=frozenset(), all=frozenset()))
"""``If-None-Match: *``: create, and never replace."""


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def require_live(state: State) -> None:
    """Refuse what needs a document that is there.

    Raises:
        Problem: 404, it never was; 410, it has been deleted.
    """
    if state.version == 0:
        raise never_was()
    if not state.is_live:
        raise Problem(HTTPStatus.GONE, Code.GONE, "The document has been deleted; its history is there still.")


def never_was() -> Problem:
    """The problem of a document that there never was."""
    return Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "There is no document of this id.")


def _failed(state: State) -> Problem:
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        Code.PRECONDITION_FAILED,
        f"It has the version {state.version}; read it again, and send its ETag.",
        headers={"ETag": etag(state.version)},
    )
