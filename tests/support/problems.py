"""Problems (RFC 9457), as the gateway answers them."""

from typing import Any

from urllib3 import BaseHTTPResponse


def is_problem(response: Any, status: int, code: str) -> bool:
    """Whether an answer, from a socket or of Django's test client, is the problem of this code, and well formed."""
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Request-ID"]
    problem = response.json()
    assert problem["status"] == (response.status if isinstance(response, BaseHTTPResponse) else response.status_code)
    return (problem["status"], problem["code"]) == (status, code)
