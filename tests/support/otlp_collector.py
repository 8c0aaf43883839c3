"""A collector of a test's own: takes spans over OTLP/HTTP, as protobuf, and keeps them."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any

# pylint: disable=no-name-in-module  # protobuf makes them when the module is loaded
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.support.http_server import QuietHandler
from tests.support.waiting import eventually

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Span:  # pylint: disable=too-many-instance-attributes  # a span has as many
    """A span as it was exported; ids in hexadecimal, ``parent`` empty for a root."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    links: tuple[tuple[str, str], ...]
    events: int
    is_error: bool
    text: str
    """All of it, in words."""


@dataclass
class Collector:
    """Spans that have been exported so far, and the headers that came with the last export."""

    url: str
    spans: list[Span] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def find(self, trace: str, name: str, service: str) -> Span:
        """A service's span of this name in a trace, once it has come."""
        wanted = (trace, name, service)
        return self.wait(lambda span: (span.trace, span.name, span.service) == wanted, str(wanted))

    def wait(self, condition: Callable[[Span], bool], what: str) -> Span:
        """The first span that meets a condition, once it has come."""
        (found, *_) = eventually(lambda: [span for span in list(self.spans) if condition(span)], f"the span {what}")
        return found


@contextmanager
def collector() -> Iterator[Collector]:
    """Collect while the context lasts."""
    kept = Collector("")

    class Handler(QuietHandler):
        """Takes an export."""

        def do_POST(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
            """Keep the spans."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            kept.headers = dict(self.headers)
            kept.spans += _read(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()


def _read(request: ExportTraceServiceRequest) -> list[Span]:
    return [
        Span(
            service=_attributes(resource.resource.attributes)["service.name"],
            name=span.name,
            kind=ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            attributes=_attributes(span.attributes),
            links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
            events=len(span.events),
            is_error=span.status.code == Status.STATUS_CODE_ERROR,
            text=str(span),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
