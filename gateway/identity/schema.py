"""What the OpenAPI document says of ``/auth/`` and the key set."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from gateway.http.openapi import COUNT, STRING, example, problem_responses
from gateway.identity.models import Role
from gateway.identity.serializers import KeySerializer, LogInSerializer, RefreshSerializer, RevokeSerializer

_WITH_BODY = (400, 401, 405, 413, 415, 429, 500, 503)
_PROVEN = (401, 403, 405, 429, 500, 503)

_ACCESS: dict[str, Any] = {
    "access_token": {**STRING, "description": "A JSON Web Token, to be sent as `Authorization: Bearer`."},
    "token_type": {"const": "Bearer"},
    "expires_in": {**COUNT, "description": "Seconds for which it is good."},
    "refresh_token": {**STRING, "description": "Good for one `POST /auth/token/refresh`; an API key brings none."},
    "refresh_expires_in": {**COUNT, "description": "Seconds for which the log-in can be renewed."},
}

_TOKENS: dict[str, Any] = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in"],
    "properties": _ACCESS,
}

_TIME = {"type": "string", "format": "date-time"}
_TIME_OR_NULL = {"type": ["string", "null"], "format": "date-time"}

_KEY_PROPERTIES: dict[str, Any] = {
    "id": STRING,
    "name": STRING,
    "created_at": _TIME,
    "expires_at": _TIME_OR_NULL,
    "last_used_at": _TIME_OR_NULL,
}

_KEY: dict[str, Any] = {"type": "object", "required": list(_KEY_PROPERTIES), "properties": _KEY_PROPERTIES}

_NEW_KEY: dict[str, Any] = {
    "type": "object",
    "required": [*_KEY_PROPERTIES, "api_key"],
    "properties": {**_KEY_PROPERTIES, "api_key": {**STRING, "description": "Shown this once."}},
}

_ME: dict[str, Any] = {
    "type": "object",
    "required": ["username", "role", "indices"],
    "properties": {
        "username": STRING,
        "role": {"enum": list(Role.values)},
        "indices": {"type": "array", "items": STRING, "description": "What the caller may search."},
    },
}

_KEY_SET: dict[str, Any] = {
    "type": "object",
    "required": ["keys"],
    "properties": {"keys": {"type": "array", "items": {"type": "object"}}},
}

_EXAMPLE_TOKENS = {
    "access_token": "eyJhbGciOiJSUzI1NiIs…",
    "token_type": "Bearer",
    "expires_in": 300,
    "refresh_token": "WyI1ZjM0…",
    "refresh_expires_in": 604800,
}

_EXAMPLE_KEY = {
    "id": "5f3c9a0b7d2e4f61",
    "name": "nightly export",
    "created_at": "2026-11-21T01:02:03Z",
    "expires_at": "2027-02-19T01:02:03Z",
    "last_used_at": None,
}

token_schema = extend_schema(
    operation_id="token",
    auth=[],
    request={"application/json": LogInSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_TOKENS, "The tokens."),
        **problem_responses(*_WITH_BODY),
    },
    examples=[
        OpenApiExample("a password", value={"username": "octoAdmin", "password": "…"}, request_only=True),
        OpenApiExample("an API key", value={"api_key": "sluice_5f3c9a0b7d2e4f61_…"}, request_only=True),
        example("tokens", 200, _EXAMPLE_TOKENS),
    ],
)

refresh_schema = extend_schema(
    operation_id="refresh_token",
    auth=[],
    request={"application/json": RefreshSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_TOKENS, "New tokens; the old refresh token is used up."),
        **problem_responses(*_WITH_BODY),
    },
    examples=[
        OpenApiExample("a refresh token", value={"refresh_token": "WyI1ZjM0…"}, request_only=True),
        example("tokens", 200, _EXAMPLE_TOKENS),
    ],
)

revoke_schema = extend_schema(
    operation_id="revoke_token",
    auth=[],
    request={"application/json": RevokeSerializer},
    responses={
        (200, "application/json"): OpenApiResponse({"type": "object"}, "The token is good no more, if it ever was."),
        **problem_responses(*(status for status in _WITH_BODY if status != 401)),
    },
    examples=[
        OpenApiExample("a token", value={"token": "WyI1ZjM0…"}, request_only=True),
        example("done", 200, {}),
    ],
)

me_schema = extend_schema(
    operation_id="me",
    responses={
        (200, "application/json"): OpenApiResponse(_ME, "The caller."),
        **problem_responses(401, 405, 429, 500, 503),
    },
    examples=[example("a searcher", 200, {"username": "octoAdmin", "role": "searcher", "indices": ["devices"]})],
)

keys_schema = extend_schema(
    operation_id="api_keys",
    responses={
        (200, "application/json"): OpenApiResponse(
            {"type": "object", "required": ["keys"], "properties": {"keys": {"type": "array", "items": _KEY}}},
            "The caller's keys, without their secrets.",
        ),
        **problem_responses(*_PROVEN),
    },
    examples=[example("one key", 200, {"keys": [_EXAMPLE_KEY]})],
)

key_schema = extend_schema(
    operation_id="make_api_key",
    request={"application/json": KeySerializer},
    responses={
        (201, "application/json"): OpenApiResponse(_NEW_KEY, "The key, whose text is shown this once."),
        **problem_responses(400, *_PROVEN, 413, 415),
    },
    examples=[
        OpenApiExample("for a quarter", value={"name": "nightly export", "expires_in_days": 90}, request_only=True),
        example("a new key", 201, _EXAMPLE_KEY | {"api_key": "sluice_5f3c9a0b7d2e4f61_…"}),
    ],
)

delete_key_schema = extend_schema(
    operation_id="revoke_api_key",
    parameters=[OpenApiParameter("key_id", str, OpenApiParameter.PATH, description="The key's id.")],
    responses={204: OpenApiResponse(description="The key is good no more."), **problem_responses(*_PROVEN)},
)

key_set_schema = extend_schema(
    operation_id="key_set",
    auth=[],
    responses={
        (200, "application/json"): OpenApiResponse(_KEY_SET, "The keys that access tokens are signed with."),
        **problem_responses(405, 429, 500),
    },
    examples=[
        example(
            "one key",
            200,
            {"keys": [{"kty": "RSA", "n": "…", "e": "AQAB", "use": "sig", "alg": "RS256", "kid": "…"}]},
        )
    ],
)
