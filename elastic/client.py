"""Elasticsearch's Python client, with the settings that all commands share."""

import os
import warnings
from typing import Any

from elastic_transport.client_utils import DEFAULT
from elasticsearch import Elasticsearch, ElasticsearchWarning, JsonSerializer, OrjsonSerializer

from elastic.exchange import authorization
from elastic.lenient_json import loads
from elastic.node import Node
from elastic.settings import ElasticsearchSettings


class LenientSerializer(OrjsonSerializer):
    """Reads answers by ``lenient_json.loads``."""

    def json_loads(self, data: bytes) -> Any:
        """Read an answer."""
        return loads(data)


def connect(
    settings: ElasticsearchSettings,
    *,
    request_timeout: float = 10.0,
    connections: int = 10,
    serializer: JsonSerializer | None = None,
) -> Elasticsearch:
    """Make a client; nothing is sent yet.

    The client never retries by itself: retries belong to the caller, who knows what is safe and how long it may take.
    It reads answers up to ``MAX_ANSWER_BYTES``.

    Args:
        settings: the server's address and credentials.
        request_timeout: seconds after which a request without an answer is given up.
        connections: keep-alive connections held open at most.
        serializer: reads the answers; by default into plain objects.
    """
    # The client's own spans would hold the text of exceptions, which quotes the query; see elastic.exchange.
    os.environ["OTEL_PYTHON_INSTRUMENTATION_ELASTICSEARCH_ENABLED"] = "false"
    # Elasticsearch's own log has its warnings too; here they might quote a query.
    warnings.simplefilter("ignore", ElasticsearchWarning)
    return Elasticsearch(
        settings.url,
        headers=authorization(settings),
        request_timeout=request_timeout,
        connections_per_node=connections,
        max_retries=0,
        retry_on_timeout=False,
        node_class=Node,
        serializer=serializer or LenientSerializer(),
        ca_certs=DEFAULT if settings.ca_certs is None else str(settings.ca_certs),
    )
