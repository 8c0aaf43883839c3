"""Correlation of a request with its traces elsewhere: X-Request-ID and the W3C trace context.

Why: a context variable holds it, as it does the deadline, because a parameter would go through a dozen signatures.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Correlation:
    """Identity of a request: its own id, and the trace that it belongs to, if any.

    ``traceparent`` is the header as it came, ``trace_id`` the 32 hexadecimal digits in it.
    """

    request_id: str
    traceparent: str | None
    trace_id: str | None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that carry it on to another service."""
        headers = {"X-Request-ID": self.request_id}
        if self.traceparent is not None:
            headers["traceparent"] = self.traceparent
        return headers


def read_correlation(request: HttpRequest) -> Correlation:
    """Take the request's id and trace from its headers; a malformed or absent id is replaced by a new one.

    See https://www.w3.org/TR/trace-context/#traceparent-header.
    """
    request_id = request.META.get("HTTP_X_REQUEST_ID", "")
    if not _REQUEST_ID.fullmatch(request_id):
        request_id = str(uuid.uuid4())
    trace = _TRACEPARENT.fullmatch(request.META.get("HTTP_TRACEPARENT", ""))
    return Correlation(request_id, *((trace[0], trace[1]) if trace else (None, None)))


_current: ContextVar[Correlation] = ContextVar("correlation")


def current_correlation() -> Correlation:
    """The correlation of the request in work."""
    return _current.get()


@contextmanager
def correlated(correlation: Correlation) -> Iterator[None]:
    """Work on a request in the block: also on the rest of a stream, which is read after its request's context ended."""
    token = _current.set(correlation)
    try:
        yield
    finally:
        _current.reset(token)


def correlate(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Read each request's correlation, and return the request's id."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        correlation = read_correlation(request)
        with correlated(correlation):
            response = get_response(request)
        response["X-Request-ID"] = correlation.request_id
        return response

    return middleware
