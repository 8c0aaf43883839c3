"""Spans of the requests that a service answers.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server — without ``url.path`` and ``url.query``, in
which a client writes what it searches for, and without the client's address and program.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry.trace import Span, SpanKind

from kit import tracing

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_UNTRACED = ("/healthz", "/readyz", "/metrics")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def traced(app: Application) -> Application:
    """Make a span of every request, except health checks.

    The application sees the span as the request's ``traceparent``, whatever the client has sent.
    """

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await app(scope, receive, send)
            return
        method = _known(scope["method"])
        attributes = {"http.request.method": method, "url.scheme": scope["scheme"]}
        parent = tracing.read_traceparent(_traceparent(scope))
        with tracing.span(method, SpanKind.SERVER, attributes, parent=parent) as span:

            async def note_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.set_attribute("http.response.status_code", status)
                    if status >= 500:
                        tracing.fail(span, str(status))
                await send(message)

            others = [(name, value) for name, value in scope["headers"] if name != b"traceparent"]
            own = (tracing.traceparent() or "").encode()
            inner = {**scope, "headers": [*others, (b"traceparent", own)]}
            try:
                await app(inner, receive, note_status)
            finally:
                # FastAPI writes down in the scope which route it has taken.
                if route := getattr(inner.get("route"), "path_format", None):
                    name_by_route(span, method, route)

    return application


def name_by_route(span: Span, method: str, route: str) -> None:
    """Name the span of a request after its route, which is known only once the request is on its way."""
    span.update_name(f"{_known(method)} {route}")
    span.set_attribute("http.route", route)


def _known(method: str) -> str:
    """The method, unless a client has made it up."""
    return method if method in _METHODS else "_OTHER"


def _traceparent(scope: Message) -> str | None:
    """The header as it came; of two, none can be believed."""
    found = [value for name, value in scope["headers"] if name == b"traceparent"]
    return found[0].decode("latin-1") if len(found) == 1 else None
