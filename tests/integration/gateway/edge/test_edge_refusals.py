"""Answers of the edge itself: limits, slow clients, gateways that are away; and when it passes something on.

Behind it is a server of the test's own, because a real gateway does such things only when it is ill.
"""

import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest

from local import ports
from tests.support import edge as nginx
from tests.support.edge import Edge, read_to_end
from tests.support.http_server import QuietHandler
from tests.support.http_server import serving as http_serving
from tests.support.waiting import eventually

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
RATE = 50
BURST = 100
CONNECTIONS = 64
LARGE = 64 * 1024 * 1024


class _Gateway(QuietHandler):
    """Does what the path asks for."""

    go_on = threading.Event()

    def do_GET(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
        """Answer one request."""
        if self.path.startswith("/silent"):
            self.go_on.wait(10)
            return
        self.send_response(200)
        self.send_header("X-Accel-Buffering", "no")
        self.end_headers()
        if self.path == "/stream":
            self.wfile.write(b"first\n")
            if self.go_on.wait(10):
                self.wfile.write(b"second\n")
        if self.path == "/large":
            try:
                self.wfile.write(b"x" * LARGE)
            except OSError:
                pass  # The edge has given the client up.

    do_POST = do_GET


@pytest.fixture(autouse=True)
def held() -> Iterator[threading.Event]:
    """While it is not set, the gateway does not go on."""
    _Gateway.go_on.clear()
    yield _Gateway.go_on
    _Gateway.go_on.set()


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    """The address of the server behind."""
    with http_serving(_Gateway) as url:
        yield url.removeprefix("http://")


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, gateway: str) -> Iterator[Edge]:
    """nginx that is less patient with clients than the one that is deployed."""
    timeouts = {"client_header_timeout": "2s", "client_body_timeout": "3s", "send_timeout": "1s"}
    with nginx.serving(tmp_path_factory.mktemp("edge"), [gateway, gateway], **timeouts) as serving:
        yield serving


def _problems(answers: bytes, status: int) -> list[dict[str, object]]:
    """The bodies of the answers with a status, each of which must be a whole problem."""
    found = []
    for answer in answers.split(b"HTTP/1.1 ")[1:]:
        head, _, body = answer.partition(b"\r\n\r\n")
        if head.startswith(b"%d " % status):
            assert b"\r\nContent-Type: application/problem+json\r\n" in head
            problem = orjson.loads(body)
            assert problem["status"] == status
            assert set(problem) == {"type", "title", "status", "detail", "code"}
            found.append(problem)
    return found


def test_a_part_of_a_stream_comes_before_the_next_is_there(edge: Edge, held: threading.Event) -> None:
    with edge.connected() as connection:
        connection.sendall(LAST.replace(b"/healthz", b"/stream"))
        received = b""
        while b"first\n" not in received:
            part = connection.recv(4096)
            assert part
            received += part
        held.set()
        assert b"second\n" in read_to_end(connection)


def test_a_client_that_asks_without_end_is_told_to_stop_and_others_are_not(edge: Edge) -> None:
    started = time.monotonic()
    answers = edge.raw(GET * (4 * BURST) + LAST, client="127.0.0.9")
    refused = _problems(answers, 429)
    assert {problem["code"] for problem in refused} == {"throttled"}
    assert answers.count(b"\r\nRetry-After: 1\r\n") == len(refused)
    served = answers.count(b"HTTP/1.1 200 ")
    assert BURST < served <= BURST + 1 + RATE * (time.monotonic() - started) + 1
    assert edge.request("GET", "/healthz", client="127.0.0.8").status == 200


def test_slow_bodies_take_no_more_than_their_address_may_have_and_are_given_up(edge: Edge) -> None:
    begun = b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"
    with ExitStack() as stack:
        slow = [stack.enter_context(edge.connected("127.0.0.10")) for _ in range(CONNECTIONS)]
        for connection in slow:
            connection.sendall(begun)
        answers = edge.raw(LAST, client="127.0.0.10")
        # Unless this machine is so slow that the first have been given up already.
        assert [problem["code"] for problem in _problems(answers, 429)] == ["throttled"]
        assert edge.request("GET", "/healthz").status == 200
        for connection in slow:
            assert read_to_end(connection) == b""
    assert edge.request("GET", "/healthz", client="127.0.0.10").status == 200


def test_large_slow_bodies_hardly_take_memory(edge: Edge) -> None:
    begun = b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n" + b" " * 1_000_000

    assert edge.request("GET", "/healthz").status == 200
    worker = edge.worker()

    def held_in_files() -> int:
        # They have no name any more, so no folder lists them.
        files = Path(f"/proc/{worker.pid}/fd").iterdir()
        return sum(file.stat().st_size for file in files if "/client_body/" in os.readlink(file))

    before = worker.memory_info().rss
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(edge.connected("127.0.0.12")).sendall(begun)
        eventually(lambda: held_in_files() > 39 * 1_000_000, "the answers are in files")
        assert worker.memory_info().rss - before < 10_000_000


def test_all_addresses_together_have_no_more_requests_than_the_edge_has_memory_for(
    tmp_path: Path, gateway: str
) -> None:
    begun = b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"
    with (
        nginx.serving(tmp_path, [gateway, gateway], **{"limit_conn all_connections": "4"}) as edge,
        ExitStack() as stack,
    ):
        for number in range(4):
            stack.enter_context(edge.connected(f"127.0.0.{20 + number}")).sendall(begun)

        def is_refused() -> bool:
            answers = edge.raw(LAST, client="127.0.0.30")
            return [problem["code"] for problem in _problems(answers, 429)] == ["throttled"]

        eventually(is_refused, "a refusal")
        stack.close()
        eventually(lambda: not is_refused(), "room again")


def test_a_body_that_there_is_no_room_for_is_a_500_and_smaller_ones_are_taken_and_no_log_quotes_it(
    tmp_path: Path, gateway: str
) -> None:
    with nginx.serving(tmp_path, [gateway, gateway]) as edge:
        (tmp_path / "client_body").rmdir()
        response = edge.request("POST", "/search?q=secret", body=b" " * 100_000)
        assert (response.status, response.json()["code"]) == (500, "internal")
        assert response.headers.getlist("Retry-After") == ["5"]
        assert edge.request("POST", "/search", body=b" " * 10_000).status == 200
        assert edge.logged(response)["http.response.status_code"] == "500"
        assert "secret" not in edge.everything_logged()


def test_a_handshake_that_is_wrong_is_not_logged_with_the_address_that_it_came_from(edge: Edge) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        edge.tls.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    # The groups that it knows (RFC 8446, 4.2.7), with a list that is longer than what holds it.
    hello, found = re.subn(rb"(?s)(\x00\x0a\x00.\x00).", lambda found: found[1] + b"\xff", outgoing.read())
    assert found == 1
    client = "127.0.77.98"
    with socket.create_connection(("127.0.0.1", edge.port), source_address=(client, 0)) as connection:
        connection.sendall(hello)
        assert read_to_end(connection)[:1] == b"\x15"  # an alert
    assert client not in edge.everything_logged()


def test_slow_heads_are_given_up(edge: Edge) -> None:
    with edge.connected() as connection:
        connection.sendall(GET[:-2])
        started = time.monotonic()
        assert read_to_end(connection) == b""
        assert time.monotonic() - started < 5


def test_a_client_that_takes_nothing_is_given_up(edge: Edge) -> None:
    with edge.connected() as connection:
        connection.sendall(LAST.replace(b"/healthz", b"/large"))
        # The server behind does one thing at a time: it answers again when it is rid of this.
        assert edge.request("GET", "/healthz", client="127.0.0.11").status == 200
        assert len(read_to_end(connection)) < LARGE


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed"),
        (b"GET /../x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed"),
        (b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400, "malformed"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "malformed",
        ),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 17_000 + b"\r\n\r\n", 431, "too_large"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + (b"X: " + b"x" * 9_000 + b"\r\n") * 9, 431, "too_large"),
        (b"GET /?" + b"x" * 17_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, "too_large"),
        (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "malformed"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "malformed"),
        (b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 505, "malformed"),
        (b"GET /.problem/500 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404, "not_found"),
    ],
)
def test_unacceptable_requests_are_answered_with_a_problem(request_: bytes, status: int, code: str, edge: Edge) -> None:
    answer = edge.raw(request_)
    assert [problem["code"] for problem in _problems(answer, status)] == [code]
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in answer
    assert b"\r\nX-Request-ID: " in answer


def test_a_gateway_that_does_not_answer_in_time_is_a_504_and_a_post_is_not_sent_twice(
    tmp_path: Path, gateway: str
) -> None:
    with nginx.serving(tmp_path, [gateway, gateway], proxy_read_timeout="1s") as edge:
        response = edge.request("POST", "/silent?q=secret", body=b"{}")
        assert (response.status, response.json()["code"]) == (504, "deadline")
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers.getlist("Retry-After") == ["5"]
        assert edge.logged(response)["sluice.upstream.address"] == gateway
        assert "secret" not in edge.everything_logged()


def test_without_any_gateway_it_is_a_502(tmp_path: Path) -> None:
    first, second = ports.free(2)
    with nginx.serving(tmp_path, [f"127.0.0.1:{first}", f"127.0.0.1:{second}"]) as edge:
        response = edge.request("POST", "/search?q=secret", body=b"{}", headers={"Authorization": "Bearer secret"})
        assert (response.status, response.json()["code"]) == (502, "overloaded")
        assert response.headers.getlist("Retry-After") == ["5"]
        # A POST that has reached no gateway may be tried with the other.
        assert edge.logged(response)["sluice.upstream.address"] == f"127.0.0.1:{first}, 127.0.0.1:{second}"
        assert "secret" not in edge.everything_logged()


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [(ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"), (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")],
)
def test_old_tls_is_refused(version: ssl.TLSVersion, ciphers: str, edge: Edge) -> None:
    context = ssl.create_default_context()
    context.set_ciphers(ciphers)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is ssl.TLSVersion.TLSv1_1:
        with pytest.deprecated_call():
            context.minimum_version = context.maximum_version = version
    else:
        context.maximum_version = version
    old = Edge.__new__(Edge)
    old.port, old.tls = edge.port, context
    with pytest.raises(ssl.SSLError, match="alert"), old.connected():
        pass
