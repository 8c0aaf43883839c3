"""HTTP to Elasticsearch, with bounds on what is read of an answer, and for how long.

Why: the client library reads an answer to its end, so a few pages of long documents could take all memory. 64 MiB are
read: 1,000 documents of 64 KiB. A longer answer to a page is ``too_complex`` and not 503, as asking again does not
help. ``Content-Length`` cannot be trusted, because Elasticsearch sends searches in chunks. The clock is read after each
part, as a socket's time-out begins anew with every byte.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from elastic_transport import NodeConfig, Urllib3HttpNode
from urllib3 import HTTPConnectionPool, HTTPHeaderDict
from urllib3.exceptions import HTTPError

from elastic.bounded_read import ask

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""A page of 1,000 documents of 32 KiB."""

_on_long: ContextVar[Callable[[int], None] | None] = ContextVar("on_long", default=None)


@contextmanager
def long_answers(on_long: Callable[[int], None]) -> Iterator[None]:
    """Ask before a long answer is read in here, in this context.

    Args:
        on_long: as ``ask`` takes it; what it raises is the cause of the ``ConnectionError`` that a client raises.
    """
    token = _on_long.set(on_long)
    try:
        yield
    finally:
        _on_long.reset(token)


class AnswerTooLarge(HTTPError):
    """The cause of the ``ConnectionError`` that a client raises for an answer of more than ``MAX_ANSWER_BYTES``."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: HTTPHeaderDict
    data: bytes


class _BoundedPool:
    """Connections as the node uses them."""

    def __init__(self, pool: HTTPConnectionPool, timeout: float | None) -> None:
        self._pool = pool
        self._timeout = timeout

    def urlopen(self, method: str, target: str, **options: Any) -> _Answer:
        """Send a request, and read the answer.

        Raises:
            AnswerTooLarge: it is; what is left of it is not read, and the connection is closed.
            HTTPError: there is no answer, or it has not come whole in time.
        """
        timeout = options.pop("timeout", self._timeout)
        response, data = ask(
            self._pool, method, target, limit=MAX_ANSWER_BYTES, timeout=timeout, on_long=_on_long.get(), **options
        )
        if len(data) > MAX_ANSWER_BYTES:
            raise AnswerTooLarge(f"the answer is over {MAX_ANSWER_BYTES} bytes")
        return _Answer(response.status, response.headers, data)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class BoundedNode(Urllib3HttpNode):
    """The library's node, but that it does not read without end."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool = _BoundedPool(self.pool, config.request_timeout)  # type: ignore[assignment]  # all that the node uses of a pool
