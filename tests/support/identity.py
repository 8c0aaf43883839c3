"""Requests below ``/auth/`` and ``/oauth/``, as the tests send them."""

from collections.abc import Callable
from typing import Any

PASSWORD = "correct horse battery staple"
OTHER_PASSWORD = "another horse, another battery"

Ask = Callable[..., Any]
"""Sends a request: method, path, token or whole Authorization header, X-Request-ID; the members of the body."""


def is_refused(response: Any, code: str = "unauthenticated") -> bool:
    """Whether an answer is a 401 problem of a code."""
    assert response["Content-Type"] == "application/problem+json"
    return (response.status_code, response.json()["code"]) == (401, code)
