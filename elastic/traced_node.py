"""Spans of requests to Elasticsearch.

They stand in for the client's own, which put the text of an exception, and so what somebody searched for, into a span.
https://opentelemetry.io/docs/specs/semconv/database/elasticsearch/
"""

from elastic_transport import HttpHeaders
from elastic_transport._node import NodeApiResponse
from elastic_transport.client_utils import DEFAULT, DefaultType
from opentelemetry.trace import SpanKind

from elastic.bounded_node import BoundedNode
from kit import tracing


class TracedNode(BoundedNode):
    """A connection to a server that makes a span of every request, and tells the server of it."""

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        """Send one request; see the base class."""
        path = target.partition("?")[0]
        operation, index = api_and_index(path)
        attributes: dict[str, str | int] = {
            "db.system.name": "elasticsearch",
            "db.operation.name": operation,
            "http.request.method": method,
            "server.address": self.host,
            "server.port": self.port,
            "url.full": f"{self.base_url}{path}",
        }
        if index:
            attributes["db.collection.name"] = index
        with tracing.span(f"{operation} {index}".strip(), SpanKind.CLIENT, attributes) as span:
            traceparent = tracing.traceparent()
            if traceparent is not None:
                headers = HttpHeaders() if headers is None else headers.copy()
                headers["traceparent"] = traceparent
            answer = super().perform_request(method, target, body, headers, request_timeout)
            span.set_attribute("db.response.status_code", str(answer.meta.status))
            if answer.meta.status >= 400:
                tracing.fail(span, str(answer.meta.status))
            return answer


def api_and_index(path: str) -> tuple[str, str]:
    """The name of the API in a path, and the index before it, if any: ``/devices/_search`` is a search of devices."""
    index, _, rest = path.partition("/_")
    return rest.partition("/")[0], index.strip("/")
