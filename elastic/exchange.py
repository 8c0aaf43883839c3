"""Exchanges with Elasticsearch: within a size and a time, and each a span of the trace that its caller is in.

Why: the client library reads an answer to its end, so a few pages of long documents could take all memory. A longer
answer to a page is ``too_complex`` and not 503, as asking again does not help. The spans stand in for the library's
own, which put the text of an exception, and so what somebody searched for, into a span.
https://opentelemetry.io/docs/specs/semconv/database/elasticsearch/
"""

import base64
from typing import Any, Self

from elastic.settings import ElasticsearchSettings
from kit.http_exchange import HttpExchange

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""A page of 1,000 documents of 32 KiB."""


class ElasticsearchExchange(HttpExchange):
    """Exchanges with one cluster, for any number of threads; answers are read up to ``MAX_ANSWER_BYTES``.

    Args:
        url: as ``HttpExchange`` takes it.
        options: others of ``HttpExchange``.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, limit=MAX_ANSWER_BYTES, **options)

    @classmethod
    def to(cls, settings: ElasticsearchSettings, connections: int) -> Self:
        """Make the exchange with the cluster of the settings, by their credentials; bodies and answers are JSON.

        Args:
            settings: the cluster's address and credentials.
            connections: how many are kept at most.
        """
        headers = {"accept": "application/json", "content-type": "application/json", **authorization(settings)}
        return cls(settings.url, connections=connections, headers=headers, ca_certs=settings.ca_certs)

    def _describe(self, method: str, path: str) -> tuple[str, dict[str, str | int]]:
        operation, index = api_and_index(path)
        attributes: dict[str, str | int] = {
            "db.system.name": "elasticsearch",
            "db.operation.name": operation,
            "url.full": f"{self._url}{path}",
        }
        if index:
            attributes["db.collection.name"] = index
        return f"{operation} {index}".strip(), attributes

    def _describe_status(self, status: int) -> dict[str, str | int]:
        return {"db.response.status_code": str(status)}


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
