"""Transport of the Elasticsearch client: our own HTTP exchange instead of the library's."""

import time
from importlib import metadata
from pathlib import Path

from elastic_transport import ApiResponseMeta, BaseNode, ConnectionTimeout, HttpHeaders, NodeConfig, TlsError
from elastic_transport import ConnectionError as NoConnection
from elastic_transport._node import NodeApiResponse
from elastic_transport.client_utils import DEFAULT, DefaultType, client_meta_version

from elastic.exchange import ElasticsearchExchange
from kit.http_exchange import NoAnswer, NotTrusted, TimedOut


class Node(BaseNode):
    """A connection of the client to its cluster."""

    _CLIENT_META_HTTP_CLIENT = ("cu", client_meta_version(metadata.version("pycurl")))

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._exchange = ElasticsearchExchange(
            self.base_url,
            connections=config.connections_per_node,
            ca_certs=None if config.ca_certs is None else Path(config.ca_certs),
            with_headers=True,
        )

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        """Send one request; see the base class."""
        timeout = self.config.request_timeout if isinstance(request_timeout, DefaultType) else request_timeout
        started = time.monotonic()
        try:
            answer = self._exchange.ask(
                method, target, timeout=timeout, body=body or None, headers={**self.headers, **(headers or {})}
            )
        except NotTrusted as error:
            raise TlsError(str(error), errors=(error,)) from error
        except TimedOut as error:
            raise ConnectionTimeout(str(error), errors=(error,)) from error
        except NoAnswer as error:
            raise NoConnection(str(error), errors=(error,)) from error
        meta = ApiResponseMeta(
            node=self.config,
            duration=time.monotonic() - started,
            http_version="1.1",
            status=answer.status,
            headers=HttpHeaders(answer.headers),
        )
        return NodeApiResponse(meta, bytes(answer.body))

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()
