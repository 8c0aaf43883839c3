"""The deadline of a request, counted from its arrival; every call to another service gets at most what is left.

Why: the time-outs of translator, Elasticsearch and Kafka would add up. A context variable holds the deadline, because a
parameter would go through a dozen signatures. The audit event is written even after the deadline, within its own
shorter limit. Only a call that changes nothing is repeated, and only when its connection broke before the answer. The
translator works for a millisecond, so it gets no deadline header.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway.http.problems import Code, Unavailable

RECEIVED = "sluice.received"
"""The key in the WSGI environment of when the request came, by ``time.monotonic``."""

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def keep_deadline(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give each request ``GATEWAY_REQUEST_TIMEOUT`` seconds, those included in which it waited for its body and thread.

    The pages of a stream are read after that, and have the time-outs of single calls alone.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        received = request.META.get(RECEIVED, time.monotonic())
        token = _deadline.set(received + settings.GATEWAY.request_timeout)
        try:
            return get_response(request)
        finally:
            _deadline.reset(token)

    return middleware


@contextmanager
def without_deadline() -> Iterator[None]:
    """Work in the block for as long as it takes; for an endpoint that reads a body of any length, part by part."""
    token = _deadline.set(None)
    try:
        yield
    finally:
        _deadline.reset(token)


def time_left(at_most: float) -> float:
    """Seconds that a call may take now.

    Args:
        at_most: seconds that such a call may take in any case.

    Raises:
        Unavailable: the request has used up its time.
    """
    deadline = _deadline.get()
    if deadline is None:
        return at_most
    left = deadline - time.monotonic()
    if left <= 0:
        raise deadline_passed()
    return min(at_most, left)


def deadline_passed() -> Unavailable:
    """The problem of a request that has used up its time."""
    seconds = settings.GATEWAY.request_timeout
    return Unavailable(Code.DEADLINE, f"The request could not be answered within {seconds:g} s; try again.")
