"""Clients that are slow, hang up, lie about lengths or flood: whoever behaves is served on."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import orjson
import pytest
import urllib3

from tests.integration.gateway.conftest import PATIENCE_SECONDS, Backing, FindEvent
from tests.integration.gateway.process import AUTHORIZATION, Connection, Gateway, configured_gateway

THREADS = 2
BODIES = 8
SHARE = 2
"""Of these that one address may have."""
BODY_SECONDS = 2.0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, backing: Backing) -> Iterator[Gateway]:
    """A gateway that serves, with little room."""
    gateway = configured_gateway(
        tmp_path_factory.mktemp("small"),
        backing,
        GATEWAY_THREADS=str(THREADS),
        GATEWAY_BODIES=str(BODIES),
        GATEWAY_BODY_TIMEOUT=str(BODY_SECONDS),
    )
    with gateway.started():
        yield gateway


def _is_well(gateway: Gateway, path: str = "/healthz") -> bool:
    started = time.monotonic()
    status = urllib3.request("GET", gateway.url + path, retries=False, timeout=PATIENCE_SECONDS).status
    return status == 200 and time.monotonic() - started < BODY_SECONDS


def test_slow_bodies_hold_no_thread(small: Gateway) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(Connection(small, f"127.0.0.{2 + number}")) for number in range(BODIES - 1)]
        for connection in slow:
            connection.begin(100, "{")
        assert _is_well(small)
        assert small.post(b'{"query": ""}').status == 200
        for connection in slow:
            answer = connection.answer()
            assert answer.startswith("HTTP/1.1 400 ")
            assert '"code":"malformed"' in answer


def test_a_body_that_drips_is_given_up_in_time(small: Gateway) -> None:
    with Connection(small) as connection:
        connection.begin(1_000_000, "{")
        connection.socket.settimeout(0.05)
        deadline = time.monotonic() + PATIENCE_SECONDS
        answer = b""
        while not answer:
            assert time.monotonic() < deadline
            try:
                connection.send(" ")
                answer = connection.socket.recv(65_536)
            except TimeoutError:
                pass
        assert answer.startswith(b"HTTP/1.1 400 ")


def test_more_bodies_than_there_is_room_for_are_refused_at_once(small: Gateway) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    refused = None
    while refused is None:
        assert time.monotonic() < deadline
        with ExitStack() as stack:
            for number in range(BODIES):
                stack.enter_context(Connection(small, f"127.0.0.{2 + number // SHARE}")).begin(100, "{")
            response = small.post(b'{"query": ""}')
            if response.status != 200:
                refused = response
                assert _is_well(small)
                assert _is_well(small, "/readyz")
    assert (refused.status, refused.json()["code"]) == (503, "overloaded")
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["X-Request-ID"]


def test_one_address_has_a_quarter_of_the_room_for_bodies_and_is_told_so_on_the_trail(
    small: Gateway, find_event: FindEvent
) -> None:
    with ExitStack() as stack:
        answers: list[str] = []
        while not answers:
            connection = stack.enter_context(Connection(small, "127.0.0.2"))
            connection.begin(100, "{")
            connection.socket.settimeout(0.2)
            with suppress(TimeoutError):
                answers.append(connection.answer())
        assert answers[0].startswith("HTTP/1.1 429 ")
        assert small.post(b'{"query": ""}').status == 200
    problem = orjson.loads(answers[0].partition("\r\n\r\n")[2])
    assert problem["code"] == "throttled"
    event = find_event(problem["query_id"])
    assert event is not None
    assert (event["event_type"], event["metadata"]["client_ip"]) == ("query.throttled", "127.0.0.2")


def test_a_body_shorter_than_announced_is_malformed(small: Gateway) -> None:
    body = '{"query": ""}'
    with Connection(small) as connection:
        connection.begin(len(body) + 1, body)
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.answer()
    assert answer.startswith("HTTP/1.1 400 ")
    assert '"code":"malformed"' in answer


def test_a_chunked_body_without_its_end_is_malformed(small: Gateway) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in AUTHORIZATION.items())
    chunk = '{"query": ""}'
    with Connection(small) as connection:
        connection.send(f"POST /search HTTP/1.1\r\nHost: localhost\r\n{head}Transfer-Encoding: chunked\r\n\r\n")
        connection.send(f"{len(chunk):x}\r\n{chunk}\r\n")
        answer = connection.answer()
    assert answer.startswith("HTTP/1.1 400 ")
    assert '"code":"malformed"' in answer


def test_clients_that_hang_up_in_the_middle_of_an_answer_hold_no_thread(small: Gateway) -> None:
    script = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
    for _ in range(THREADS + 1):
        with Connection(small) as connection:
            connection.send(f"GET {script} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.socket.recv(1_024).startswith(b"HTTP/1.1 200 ")
    assert small.post(b'{"query": ""}').status == 200


def test_clients_that_hang_up_in_the_middle_of_their_bodies_hold_no_room(small: Gateway) -> None:
    for _ in range(BODIES + 1):
        with Connection(small) as connection:
            connection.begin(100, "{")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while small.post(b'{"query": ""}').status != 200:
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    "headers",
    ["".join(f"X-{number}: x\r\n" for number in range(1_000)), f"X-Long: {'x' * 1_000_000}\r\n"],
    ids=["many", "long"],
)
def test_a_flood_of_headers_is_refused_and_whoever_behaves_is_served_on(headers: str, small: Gateway) -> None:
    with Connection(small) as connection, suppress(ConnectionError):
        connection.send(f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
        # The server may hang up before the client has sent everything, and has seen the answer.
        assert connection.answer().startswith("HTTP/1.1 431 ")
    assert _is_well(small)


def test_heads_that_do_not_end_hold_no_thread(small: Gateway) -> None:
    with ExitStack() as stack:
        for _ in range(10 * THREADS):
            stack.enter_context(Connection(small)).send("POST /search HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert _is_well(small)
        assert small.post(b'{"query": ""}').status == 200


@pytest.mark.parametrize(
    "head",
    [
        "nonsense",
        "GET /healthz HTTP/9.9",
        "G\x00T /healthz HTTP/1.1",
        "GET /healthz HTTP/1.1\r\nContent-Length: -1",
        "POST /search HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        "POST /search HTTP/1.1\r\nTransfer-Encoding: gzip",
        "GET /healthz HTTP/1.1\r\nX-Bad: \x00",
    ],
)
def test_what_is_not_http_is_refused(head: str, small: Gateway) -> None:
    with Connection(small) as connection, suppress(ConnectionError):
        connection.send(f"{head}\r\n\r\n")
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.answer().startswith(("HTTP/1.1 400 ", "HTTP/1.0 400 "))
    assert _is_well(small)


def test_a_header_with_an_underscore_passes_for_no_other(small: Gateway) -> None:
    with Connection(small) as connection:
        connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX_Request_ID: mine\r\n\r\n")
        assert "mine" not in connection.answer()
