"""HTTP to Elasticsearch, with a bound on what is read of an answer."""

from dataclasses import dataclass
from typing import Any

from elastic_transport import NodeConfig, Urllib3HttpNode
from urllib3 import HTTPConnectionPool, HTTPHeaderDict
from urllib3.exceptions import HTTPError

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""A page of 1,000 documents of 64 KiB."""


class AnswerTooLarge(HTTPError):
    """The cause of the ``ConnectionError`` that a client raises for an answer of more than ``MAX_ANSWER_BYTES``."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: HTTPHeaderDict
    data: bytes


class _BoundedPool:
    """Connections as the node uses them."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool

    def urlopen(self, method: str, target: str, **options: Any) -> _Answer:
        """Send a request, and read the answer.

        Raises:
            AnswerTooLarge: it is; what is left of it is not read, and the connection is closed.
        """
        response = self._pool.urlopen(method, target, preload_content=False, **options)
        try:
            data = response.read(MAX_ANSWER_BYTES + 1)
            if len(data) > MAX_ANSWER_BYTES:
                response.close()
                raise AnswerTooLarge(f"the answer is over {MAX_ANSWER_BYTES} bytes")
            return _Answer(response.status, response.headers, data)
        finally:
            response.release_conn()

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class BoundedNode(Urllib3HttpNode):
    """The library's node, but that it does not read without end."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool = _BoundedPool(self.pool)  # type: ignore[assignment]  # all that the node uses of a pool
