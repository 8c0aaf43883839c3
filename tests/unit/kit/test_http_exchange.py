"""An HTTP answer is read within a size and a time, and what is left of it never becomes the next answer."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from deploy.first_start import certificates
from kit.http_exchange import (
    LONG_BYTES,
    AddressRefused,
    AnswerTooLarge,
    Dropped,
    HttpExchange,
    NoAnswer,
    NotTrusted,
    TimedOut,
)
from local import ports
from tests.support.http_server import QuietHandler, serving

LIMIT = 4 * LONG_BYTES


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[int]] = set()
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
        """Answer with as many bytes as the path says; a path with "drip" sends them slowly, one with "chunked" so."""
        self.connections.add(self.client_address[1])
        self.paths.append(self.path)
        length = int(self.path.partition("?")[0].rpartition("/")[2])
        self.send_response(200)
        if "chunked" in self.path:
            self.send_header("Transfer-Encoding", "chunked")
            content = b"".join(b"%x\r\n%s\r\n" % (1, b"x") for _ in range(length)) + b"0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(length))
            content = b"x" * length
        self.end_headers()
        try:
            if "drip" in self.path:
                for at in range(len(content)):
                    self.wfile.write(content[at : at + 1])
                    time.sleep(0.02)
            else:
                self.wfile.write(content)
        except OSError:
            self.close_connection = True

    def do_POST(self) -> None:  # pylint: disable=invalid-name  # as above
        """Answer with the method, a header, and the body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content = b"%s %s %s" % (self.command.encode(), str(self.headers["X-Mine"]).encode(), body)
        self.send_response(201)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Theirs", "a: b")
        self.end_headers()
        self.wfile.write(content)

    do_PUT = do_DELETE = do_POST

    def do_HEAD(self) -> None:  # pylint: disable=invalid-name  # as above
        """Answer with a length, and no body."""
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()


@pytest.fixture(name="exchange")
def fixture_exchange() -> Iterator[HttpExchange]:
    """One connection to a server."""
    _Handler.connections.clear()
    _Handler.paths.clear()
    with serving(_Handler) as url:
        exchange = HttpExchange(url, connections=1, limit=LIMIT, with_headers=True)
        yield exchange
        exchange.close()


class _Guard:  # pylint: disable=too-few-public-methods  # it has one question
    """Says of every address the same, and keeps what it was asked."""

    def __init__(self, *, allows: bool) -> None:
        self.asked: list[str] = []
        self._allows = allows

    def __call__(self, address: str) -> bool:
        self.asked.append(address)
        return self._allows


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_connection_is_made_to_an_address_that_is_refused(host: str) -> None:
    _Handler.connections.clear()
    guard = _Guard(allows=False)
    with serving(_Handler) as url:
        refused = HttpExchange(url.replace("127.0.0.1", host), connections=1, limit=LIMIT, may_connect=guard)
        with pytest.raises(AddressRefused):
            _get(refused, "/1")
        refused.close()
    assert "127.0.0.1" in guard.asked
    assert not _Handler.connections


def test_a_connection_to_an_address_that_is_allowed_is_kept() -> None:
    guard = _Guard(allows=True)
    with serving(_Handler) as url:
        allowed = HttpExchange(url, connections=1, limit=LIMIT, may_connect=guard)
        assert [len(_get(allowed, f"/{length}")) for length in (1, 2)] == [1, 2]
        allowed.close()
    assert guard.asked == ["127.0.0.1"]


def _get(exchange: HttpExchange, target: str, timeout: float = 30.0) -> bytes:
    return bytes(exchange.ask("GET", target, timeout=timeout, headers={}).body)


@pytest.mark.parametrize("how", ["", "/chunked"])
def test_an_answer_within_the_limits_is_read_whole_over_one_connection(exchange: HttpExchange, how: str) -> None:
    for length in (0, 1, LIMIT if not how else 1_000):
        assert _get(exchange, f"{how}/{length}") == b"x" * length
    assert len(_Handler.connections) == 1


@pytest.mark.parametrize("how", ["", "/chunked"])
def test_an_answer_over_the_limit_is_not_read(how: str) -> None:
    with serving(_Handler) as url:
        exchange = HttpExchange(url, connections=1, limit=10)
        with pytest.raises(AnswerTooLarge, match="longer than 10 bytes"):
            exchange.ask("GET", f"{how}/11", timeout=30.0, headers={})
        assert _get(exchange, "/10") == b"x" * 10
        exchange.close()


@pytest.mark.parametrize("how", ["", "/chunked"])
def test_an_answer_that_drips_is_given_up(exchange: HttpExchange, how: str) -> None:
    with pytest.raises(TimedOut) as given_up:
        _get(exchange, f"{how}/drip/1000", timeout=0.1)
    assert given_up.value.was_sent
    assert _get(exchange, "/1") == b"x"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_request_has_its_method_its_headers_and_its_body(exchange: HttpExchange, method: str) -> None:
    body = b"y" * (2 * LONG_BYTES) + b"\0"
    answer = exchange.ask(method, "/", timeout=30.0, body=body, headers={"X-Mine": "a: b"})
    assert answer.status == 201
    assert answer.body == f"{method} ".encode() + b"a: b " + body
    assert answer.headers["x-theirs"] == "a: b"


def test_one_connection_serves_every_method_in_turn(exchange: HttpExchange) -> None:
    for _ in range(2):
        head = exchange.ask("HEAD", "/", timeout=30.0, headers={})
        assert (len(head.body), head.headers["content-length"]) == (0, "7")
        assert _get(exchange, "/3") == b"xxx"
        assert exchange.ask("POST", "/", timeout=30.0, body=b"", headers={}).body == b"POST None "
    assert len(_Handler.connections) == 1


def test_a_long_answer_is_announced_once_with_its_length(exchange: HttpExchange) -> None:
    announced: list[int] = []
    for length in (LONG_BYTES, 3 * LONG_BYTES):
        exchange.ask("GET", f"/{length}", timeout=30.0, headers={}, on_long=announced.append)
    assert announced == [3 * LONG_BYTES]


def test_one_whose_length_is_not_known_is_announced_with_the_limit_first() -> None:
    announced: list[int] = []
    with serving(_Handler) as url:
        exchange = HttpExchange(url, connections=1, limit=LIMIT)
        exchange.ask("GET", f"/{3 * LONG_BYTES}", timeout=30.0, headers={}, on_long=announced.append)
        exchange.close()
    assert announced == [LIMIT, 3 * LONG_BYTES]


def test_a_refusal_of_a_long_answer_ends_the_reading(exchange: HttpExchange) -> None:
    def refuse(_: int) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        exchange.ask("GET", f"/{LIMIT}", timeout=30.0, headers={}, on_long=refuse)
    assert _get(exchange, "/1") == b"x"


@contextmanager
def _answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes a connection for each answer, sends that once a request has come, and hangs up.

    With "THEN HANG UP" it does so at the next request. Gives the address, and the requests that have come.
    """
    requests: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        for answer in answers:
            connection, _ = listening.accept()
            with connection:
                requests.append(connection.recv(65536))
                connection.sendall(answer.removesuffix(b"HANG UP").removesuffix(b"THEN "))
                if answer.endswith(b"THEN HANG UP"):
                    requests.append(connection.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", requests
        thread.join()


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    with _answering(b"HTTP/1.0 200 OK\r\n\r\nall of itHANG UP") as (url, _):
        assert _get(HttpExchange(url, connections=1, limit=LIMIT), "/") == b"all of it"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalfHANG UP"])
def test_a_server_that_hangs_up_is_told_from_others(answer: bytes) -> None:
    with _answering(answer) as (url, requests), pytest.raises(Dropped):
        _get(HttpExchange(url, connections=1, limit=LIMIT), "/")
    assert len(requests) == 1


@pytest.mark.parametrize("kept", [False, True])
def test_a_request_that_changes_nothing_is_sent_once_more_where_the_server_hangs_up_and_not_again(kept: bool) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    # A kept connection ends with the next request on it.
    first = [ok + b"THEN HANG UP"] if kept else [b""]

    def ask(exchange: HttpExchange) -> bytes:
        return bytes(exchange.ask("GET", "/", timeout=30.0, headers={}, again=True).body)

    with _answering(*first, ok + b"HANG UP") as (url, requests):
        exchange = HttpExchange(url, connections=1, limit=LIMIT)
        if kept:
            assert ask(exchange) == b"ok"
        assert ask(exchange) == b"ok"
    assert len(requests) == 2 + kept
    with _answering(*first, b"") as (url, requests):
        exchange = HttpExchange(url, connections=1, limit=LIMIT)
        if kept:
            assert ask(exchange) == b"ok"
        with pytest.raises(Dropped):
            ask(exchange)
    assert len(requests) == 2 + kept


def test_a_kept_connection_that_is_closed_is_replaced() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with _answering(ok + b"HANG UP", ok + b"HANG UP") as (url, requests):
        exchange = HttpExchange(url, connections=1, limit=LIMIT)
        assert [_get(exchange, "/") for _ in range(2)] == [b"ok", b"ok"]
    assert len(requests) == 2


def test_bytes_that_are_no_http_and_a_closed_port_are_no_answers() -> None:
    with _answering(b"SSH-2.0-OpenSSH\r\nHANG UP") as (url, _), pytest.raises(NoAnswer):
        _get(HttpExchange(url, connections=1, limit=LIMIT), "/")
    with pytest.raises(NoAnswer) as nobody:
        _get(HttpExchange(f"http://127.0.0.1:{ports.free(1)[0]}", connections=1, limit=LIMIT), "/")
    assert not isinstance(nobody.value, Dropped | TimedOut)


def test_a_server_that_takes_no_connection_was_not_sent_anything() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        with pytest.raises(TimedOut) as given_up:
            _get(HttpExchange(f"http://127.0.0.1:{port}", connections=1, limit=LIMIT), "/", timeout=0.2)
        assert not given_up.value.was_sent
        for each in waiting:
            each.close()


def test_many_threads_get_each_its_own_answer() -> None:
    with serving(_Handler, threads=True) as url, ThreadPoolExecutor(8) as threads:
        exchange = HttpExchange(url, connections=2, limit=LIMIT)
        lengths = list(range(200))
        assert list(threads.map(lambda length: len(_get(exchange, f"/{length}")), lengths)) == lengths
        exchange.close()


def test_a_path_beyond_ascii_is_encoded(exchange: HttpExchange) -> None:
    assert _get(exchange, "/geräte,%C3%A4-*/1?a=b&c") == b"x"
    assert _Handler.paths == ["/ger%C3%A4te,%C3%A4-*/1?a=b&c"]


def test_the_environments_proxy_is_not_asked(exchange: HttpExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert _get(exchange, "/1") == b"x"


@contextmanager
def _by_tls(folder: Path, host: str) -> Iterator[tuple[int, Path]]:
    """The port of a server with a certificate for a host, and the authority that it is of."""
    authority_key, key = certificates.new_key(), certificates.new_key()
    authority = certificates.authority(authority_key, "authority", datetime.now(UTC))
    (folder / "ca.crt").write_text(authority, encoding="utf-8")
    certificate = certificates.server(key, [host], (authority_key, authority), datetime.now(UTC))
    (folder / "server.pem").write_text(key + certificate, encoding="utf-8")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    with serving(_Handler, tls=context) as url:
        yield int(url.rpartition(":")[2]), folder / "ca.crt"


def test_a_server_is_trusted_by_its_authority_and_its_name_alone(tmp_path: Path) -> None:
    with _by_tls(tmp_path, "localhost") as (port, authority):
        trusting = HttpExchange(f"https://localhost:{port}", connections=1, limit=LIMIT, ca_certs=authority)
        assert _get(trusting, "/2") == b"xx"
        trusting.close()
        for stranger in (
            HttpExchange(f"https://localhost:{port}", connections=1, limit=LIMIT),
            HttpExchange(f"https://127.0.0.1:{port}", connections=1, limit=LIMIT, ca_certs=authority),
        ):
            with pytest.raises(NotTrusted):
                _get(stranger, "/2")
