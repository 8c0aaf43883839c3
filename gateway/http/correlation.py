"""What ties a request to its traces elsewhere: X-Request-ID and the W3C trace context."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Correlation:
    """What a request is known by: its own id, and the trace that it belongs to, if any.

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
    request_id = request.headers.get("X-Request-ID", "")
    if not _REQUEST_ID.fullmatch(request_id):
        request_id = str(uuid.uuid4())
    trace = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return Correlation(request_id, *((trace[0], trace[1]) if trace else (None, None)))


def correlation_of(request: HttpRequest | Request) -> Correlation:
    """What the middleware has read from the request's headers."""
    correlation: Correlation = request.correlation  # type: ignore[union-attr]  # Django's way to hand something on
    return correlation


def correlate(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Set ``request.correlation``, and return the request's id."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        correlation = read_correlation(request)
        request.correlation = correlation  # type: ignore[attr-defined]  # Django's way to hand something on
        response = get_response(request)
        response["X-Request-ID"] = correlation.request_id
        return response

    return middleware
