"""Reading an HTTP answer, within a size and a time."""

import time
from collections.abc import Callable
from typing import Any

from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.exceptions import ReadTimeoutError

LONG_BYTES = 256 * 1024
"""An answer over that is a long one; it is read in such parts."""


def ask(  # pylint: disable=too-many-arguments  # a request has as many
    pool: HTTPConnectionPool,
    method: str,
    target: str,
    *,
    limit: int,
    timeout: float | None,
    on_long: Callable[[int], None] | None = None,
    **options: Any,
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
        on_long: called with the length of a long answer before more than ``LONG_BYTES`` of it are read; where that is
            not known, with the limit, and with the length once it is. What it raises ends the reading.
        options: others that ``urlopen`` takes.

    Returns:
        the response, and its body; of one that is longer than ``limit``, some more than so many bytes.

    Raises:
        ReadTimeoutError: it takes longer.
        HTTPError: there is no answer.
    """
    until = None if timeout is None else time.monotonic() + timeout
    response = pool.urlopen(method, target, timeout=timeout, preload_content=False, **options)
    parts, length, announced = [], 0, 0
    try:
        while part := response.read1(LONG_BYTES):
            parts.append(part)
            length += len(part)
            if length > limit:
                response.close()
                break
            if until is not None and time.monotonic() > until:
                raise ReadTimeoutError(pool, target, f"the answer has not come whole within {timeout} s")
            if length > LONG_BYTES and on_long is not None and not announced:
                announced = min(limit, int(response.headers.get("Content-Length", limit)))
                on_long(announced)
        if announced and on_long is not None and length != announced:
            on_long(min(limit, length))
        return response, b"".join(parts)
    except BaseException:
        # What is left unread would be taken for the next answer.
        response.close()
        raise
    finally:
        response.release_conn()
