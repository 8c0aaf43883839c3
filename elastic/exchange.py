"""Exchanges with Elasticsearch: within a size and a time, and each a span of the trace that its caller is in.

Why: the client library reads an answer to its end, so a few pages of long documents could take all memory. A longer
answer to a page is ``too_complex`` and not 503, as asking again does not help. The spans stand in for the library's
own, which put the text of an exception, and so what somebody searched for, into a span.
https://opentelemetry.io/docs/specs/semconv/database/elasticsearch/
"""

import base64
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind

from elastic.settings import ElasticsearchSettings
from kit import tracing
from kit.http_exchange import Answer, HttpExchange

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""A page of 1,000 documents of 32 KiB."""


class ElasticsearchExchange:
    """Exchanges with one cluster, for any number of threads.

    Args:
        url, connections, ca_certs, with_headers: as ``HttpExchange`` takes them.
    """

    def __init__(self, url: str, *, connections: int, ca_certs: Path | None = None, with_headers: bool = False) -> None:
        self._url = url.rstrip("/")
        self._http = HttpExchange(url, connections=connections, ca_certs=ca_certs, with_headers=with_headers)

    def ask(  # pylint: disable=too-many-arguments  # a request has as many
        self,
        method: str,
        target: str,
        *,
        timeout: float | None,
        body: bytes | None = None,
        headers: Mapping[str, str],
        on_long: Callable[[int], None] | None = None,
        again: bool = False,
    ) -> Answer:
        """Send one request, and read the answer, up to ``MAX_ANSWER_BYTES``; see ``HttpExchange.ask``.

        Raises:
            NoAnswer: or one of its kinds.
        """
        with self._span(method, target.partition("?")[0]) as span:
            if traceparent := tracing.traceparent():
                headers = {**headers, "traceparent": traceparent}
            answer = self._http.ask(
                method,
                target,
                limit=MAX_ANSWER_BYTES,
                timeout=timeout,
                body=body,
                headers=headers,
                on_long=on_long,
                again=again,
            )
            span.set_attribute("db.response.status_code", str(answer.status))
            if answer.status >= 400:
                tracing.fail(span, str(answer.status))
            return answer

    def _span(self, method: str, path: str) -> AbstractContextManager[Span]:
        if not tracing.is_on():
            return nullcontext(INVALID_SPAN)
        operation, index = api_and_index(path)
        attributes: dict[str, str | int] = {
            "db.system.name": "elasticsearch",
            "db.operation.name": operation,
            "http.request.method": method,
            "server.address": self._http.host,
            "server.port": self._http.port,
            "url.full": f"{self._url}{path}",
        }
        if index:
            attributes["db.collection.name"] = index
        return tracing.span(f"{operation} {index}".strip(), SpanKind.CLIENT, attributes)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def authorization(settings: ElasticsearchSettings) -> dict[str, str]:
    """The header with the settings' credentials, if they have any."""
    if settings.api_key is not None:
        return {"authorization": f"ApiKey {settings.api_key.get_secret_value()}"}
    if settings.username is not None and settings.password is not None:
        credentials = f"{settings.username}:{settings.password.get_secret_value()}"
        return {"authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
    return {}


def api_and_index(path: str) -> tuple[str, str]:
    """The name of the API in a path, and the index before it, if any: ``/devices/_search`` is a search of devices."""
    index, _, rest = path.partition("/_")
    return rest.partition("/")[0], index.strip("/")
