"""Answers of the room ``identity``: their types, from which OpenAPI is made, and an example of each."""

from datetime import datetime
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from gateway.http.openapi import Count, described
from gateway.identity.models import Role


@described
class Tokens(TypedDict):
    """The tokens."""

    access_token: str
    """A JSON Web Token, to be sent as `Authorization: Bearer`."""
    token_type: Literal["Bearer"]
    expires_in: Count
    """Seconds for which it is good."""
    refresh_token: NotRequired[str]
    """Good for one `POST /auth/token/refresh`; an API key brings none."""
    refresh_expires_in: NotRequired[Count]
    """Seconds for which the log-in can be renewed."""


@described
class Revoked(TypedDict):
    """The token is invalid now."""


@described
class Me(TypedDict):
    """The caller."""

    username: str
    role: Role
    indices: list[str]
    """The indices that the caller may search."""


@described
class ApiKeyAnswer(TypedDict):
    """An API key, without its secret."""

    id: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@described
class NewApiKey(ApiKeyAnswer):
    """The key, whose text is shown this once."""

    api_key: str
    """Shown this once."""


@described
class ApiKeys(TypedDict):
    """The caller's keys, without their secrets."""

    keys: list[ApiKeyAnswer]


@described
class KeySet(TypedDict):
    """The keys that access tokens are signed with."""

    keys: list[dict[str, Any]]


TOKENS = {
    "access_token": "eyJhbGciOiJSUzI1NiIs…",
    "token_type": "Bearer",
    "expires_in": 300,
    "refresh_token": "WyI1ZjM0…",
    "refresh_expires_in": 604800,
}
KEY = {
    "id": "5f3c9a0b7d2e4f61",
    "name": "nightly export",
    "created_at": "2026-11-21T01:02:03Z",
    "expires_at": "2027-02-19T01:02:03Z",
    "last_used_at": None,
}
