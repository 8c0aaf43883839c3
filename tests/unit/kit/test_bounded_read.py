"""An HTTP answer is read within a size and a time, and what is left of it never becomes the next answer."""

import time
from collections.abc import Iterator

import pytest
import urllib3
from urllib3.exceptions import ReadTimeoutError

from kit.bounded_read import LONG_BYTES, ask
from tests.support.http_server import QuietHandler, serving

LIMIT = 4 * LONG_BYTES


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
        """Answer with as many bytes as the path says; a path with "drip" sends them slowly."""
        length = int(self.path.rpartition("/")[2])
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        try:
            if "drip" in self.path:
                for _ in range(length):
                    self.wfile.write(b"x")
                    time.sleep(0.02)
            else:
                self.wfile.write(b"x" * length)
        except OSError:
            self.close_connection = True


@pytest.fixture(name="pool")
def fixture_pool() -> Iterator[urllib3.HTTPConnectionPool]:
    """One connection to a server."""
    with serving(_Handler) as url, urllib3.connection_from_url(url, maxsize=1, retries=False) as pool:
        yield pool


def test_an_answer_within_the_limits_is_read_whole(pool: urllib3.HTTPConnectionPool) -> None:
    response, body = ask(pool, "GET", f"/{LIMIT}", limit=LIMIT, timeout=30.0)
    assert (response.status, len(body)) == (200, LIMIT)


def test_no_more_is_read_than_tells_that_an_answer_is_too_long(pool: urllib3.HTTPConnectionPool) -> None:
    _, body = ask(pool, "GET", f"/{20 * LIMIT}", limit=LIMIT, timeout=30.0)
    assert LIMIT < len(body) <= LIMIT + LONG_BYTES
    assert ask(pool, "GET", "/1", limit=LIMIT, timeout=30.0)[1] == b"x"


def test_an_answer_that_drips_is_given_up(pool: urllib3.HTTPConnectionPool) -> None:
    with pytest.raises(ReadTimeoutError, match="within 0.1 s"):
        ask(pool, "GET", "/drip/1000", limit=LIMIT, timeout=0.1)
    assert ask(pool, "GET", "/1", limit=LIMIT, timeout=30.0)[1] == b"x"


def test_a_long_answer_is_announced_once_with_its_length(pool: urllib3.HTTPConnectionPool) -> None:
    announced: list[int] = []
    ask(pool, "GET", f"/{LONG_BYTES}", limit=LIMIT, timeout=30.0, on_long=announced.append)
    ask(pool, "GET", f"/{3 * LONG_BYTES}", limit=LIMIT, timeout=30.0, on_long=announced.append)
    assert announced == [3 * LONG_BYTES]


def test_a_refusal_of_a_long_answer_ends_the_reading(pool: urllib3.HTTPConnectionPool) -> None:
    def refuse(_: int) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        ask(pool, "GET", f"/{LIMIT}", limit=LIMIT, timeout=30.0, on_long=refuse)
    assert ask(pool, "GET", "/1", limit=LIMIT, timeout=30.0)[1] == b"x"
