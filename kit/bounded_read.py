"""Reading an HTTP answer, within a size and a time."""

import time
from typing import Any

from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.exceptions import ReadTimeoutError

_PART_BYTES = 256 * 1024


def ask(
    pool: HTTPConnectionPool, method: str, target: str, *, limit: int, timeout: float | None, **options: Any
) -> tuple[BaseHTTPResponse, bytes]:
    """Send one request, and read the answer.

    The library's own time-out is that of a single read from the socket, which an answer that drips never reaches.

    Args:
        pool: has a kept connection, or makes one, and gets it back.
        method: of HTTP.
        target: path and query string.
        limit: how many bytes of the answer are read; the connection of a longer one is closed.
        timeout: seconds within which the answer has to come whole, but for the last wait, which may take as many
            again; None for no limit.
        options: others that ``urlopen`` takes.

    Returns:
        the response, and its body; of one that is longer than ``limit``, some more than so many bytes.

    Raises:
        ReadTimeoutError: it takes longer.
        HTTPError: there is no answer.
    """
    until = None if timeout is None else time.monotonic() + timeout
    response = pool.urlopen(method, target, timeout=timeout, preload_content=False, **options)
    parts, length = [], 0
    try:
        while part := response.read1(_PART_BYTES):
            parts.append(part)
            length += len(part)
            if length > limit:
                response.close()
                break
            if until is not None and time.monotonic() > until:
                response.close()
                raise ReadTimeoutError(pool, target, f"the answer has not come whole within {timeout} s")
        return response, b"".join(parts)
    finally:
        response.release_conn()
