"""Clients that are slow, hang up, lie about lengths or flood, while all others are served on."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import orjson
import psutil
import pytest
import urllib3

from tests.support.faulty_proxy import FaultyProxy, in_front_of
from tests.support.gateway import (
    AUTHORIZATION,
    PATIENCE_SECONDS,
    Backing,
    Connection,
    FindEvent,
    Gateway,
    configured_gateway,
)
from tests.support.waiting import eventually

THREADS = 2
BODIES = 8
SHARE = 2
"""Of these that slow ones of one address may have."""
BODY_SECONDS = 2.0


@pytest.fixture(scope="module")
def elasticsearch(backing: Backing) -> Iterator[FaultyProxy]:
    """Elasticsearch, which can be made slow."""
    with in_front_of(backing.elasticsearch_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def process(
    tmp_path_factory: pytest.TempPathFactory, backing: Backing, elasticsearch: FaultyProxy
) -> Iterator[tuple[Gateway, psutil.Process]]:
    """A gateway that serves, with little room, and its worker."""
    gateway = configured_gateway(
        tmp_path_factory.mktemp("small"),
        backing,
        GATEWAY_THREADS=str(THREADS),
        GATEWAY_BODIES=str(BODIES),
        GATEWAY_BODY_TIMEOUT=str(BODY_SECONDS),
        ELASTICSEARCH_URL=elasticsearch.url,
    )
    with gateway.started() as started:
        yield gateway, psutil.Process(started.pid).children()[0]


@pytest.fixture
def small(process: tuple[Gateway, psutil.Process]) -> Gateway:
    """That gateway."""
    return process[0]


@pytest.fixture
def worker(process: tuple[Gateway, psutil.Process]) -> psutil.Process:
    """That worker."""
    return process[1]


def _is_asked_more(proxy: FaultyProxy, before: int) -> bool:
    return proxy.requests > before


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

        def answer() -> bytes:
            with suppress(TimeoutError):
                connection.send(" ")
                return connection.socket.recv(65_536)
            return b""

        assert eventually(answer, "an answer").startswith(b"HTTP/1.1 400 ")


def test_more_bodies_than_there_is_room_for_are_refused_at_once(small: Gateway) -> None:
    def refused() -> urllib3.BaseHTTPResponse | None:
        with ExitStack() as stack:
            for number in range(BODIES):
                stack.enter_context(Connection(small, f"127.0.0.{2 + number // SHARE}")).begin(100, "{")
            response = small.post(b'{"query": ""}')
            if response.status == 200:
                return None
            assert _is_well(small)
            assert _is_well(small, "/readyz")
            return response

    refusal = eventually(refused, "a body is refused", PATIENCE_SECONDS)
    assert (refusal.status, refusal.json()["code"]) == (503, "overloaded")
    assert int(refusal.headers["Retry-After"]) > 0
    assert refusal.headers["X-Request-ID"]


def test_bodies_of_one_address_have_half_of_the_room_from_their_first_byte_and_others_get_in(
    small: Gateway, find_event: FindEvent
) -> None:
    with ExitStack() as stack:
        greedy = [stack.enter_context(Connection(small, "127.0.0.2")) for _ in range(4 * BODIES)]
        for connection in greedy:
            connection.begin(100, "{")
        for _ in range(BODIES):
            assert small.post(b'{"query": ""}').status == 200
        answers = [connection.answer() for connection in greedy]
    # How many are slow ones besides depends on how busy the machine is.
    assert {answer[9:12] for answer in answers} == {"400", "429"}
    for slow in (False, True):
        answer = next(each for each in answers if each[9:12] == "429" and ("slow request bodies" in each) == slow)
        problem = orjson.loads(answer.partition("\r\n\r\n")[2])
        assert problem["code"] == "throttled"
        event = find_event(problem["query_id"])
        assert event is not None
        assert (event["event_type"], event["metadata"]["client_ip"]) == ("query.throttled", "127.0.0.2")


@pytest.mark.parametrize("header", ["", "Authorization: Bearer a.b.c\r\n", "Authorization: Octoxlabs bm9ib2R5\r\n"])
def test_a_long_body_of_a_stranger_is_not_waited_for_and_the_refusal_is_recorded(
    header: str, small: Gateway, find_event: FindEvent
) -> None:
    head = f"POST /search HTTP/1.1\r\nHost: localhost\r\n{header}Content-Type: application/json\r\n"
    with Connection(small) as connection:
        connection.send(f"{head}Content-Length: 1000000\r\n\r\n")
        answer = connection.answer()
    assert answer.startswith("HTTP/1.1 401 ")
    event = find_event(orjson.loads(answer.partition("\r\n\r\n")[2])["query_id"])
    assert event is not None
    assert event["event_type"] == "query.denied"


@pytest.mark.parametrize("path", ["/auth/token", "/auth/revoke", "/api/token/token", "/admin/login/", "/not-there"])
def test_a_body_that_is_longer_than_its_endpoint_takes_is_not_waited_for(path: str, small: Gateway) -> None:
    with Connection(small) as connection:
        connection.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        connection.send("Content-Length: 1000000\r\n\r\n")
        answer = connection.answer()
    assert answer.startswith("HTTP/1.1 404 " if path == "/not-there" else "HTTP/1.1 413 ")


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
    eventually(lambda: small.post(b'{"query": ""}').status == 200, "room again")


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
def test_bytes_that_are_no_http_are_refused(head: str, small: Gateway) -> None:
    with Connection(small) as connection, suppress(ConnectionError):
        connection.send(f"{head}\r\n\r\n")
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.answer().startswith(("HTTP/1.1 400 ", "HTTP/1.0 400 "))
    assert _is_well(small)


def test_a_header_with_an_underscore_passes_for_no_other(small: Gateway) -> None:
    with Connection(small) as connection:
        connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX_Request_ID: mine\r\n\r\n")
        assert "mine" not in connection.answer()


def test_health_answers_at_once_while_elasticsearch_is_slow_and_all_threads_are_taken(
    small: Gateway, elasticsearch: FaultyProxy
) -> None:
    before = elasticsearch.requests
    elasticsearch.held.clear()
    with ThreadPoolExecutor(2 * THREADS) as pool:
        try:
            searches = [pool.submit(small.post, b'{"query": ""}') for _ in range(2 * THREADS)]
            eventually(lambda: elasticsearch.requests == before + THREADS, "every thread searches")
            assert _is_well(small)
            assert _is_well(small, "/metrics")
        finally:
            elasticsearch.held.set()
        assert [search.result().status for search in searches] == [200] * 2 * THREADS


@pytest.mark.parametrize("is_begun", [False, True], ids=["before it", "in the middle of it"])
def test_clients_that_hang_up_on_the_answers_of_searches_lose_no_event_and_hold_no_thread(
    is_begun: bool, small: Gateway, elasticsearch: FaultyProxy, events: Callable[[], Iterator[dict[str, Any]]]
) -> None:
    names = [f"hang-up-{is_begun}-{number}" for number in range(THREADS + 1)]
    for name in names:
        before = elasticsearch.requests
        with Connection(small) as connection:
            if not is_begun:
                elasticsearch.held.clear()
            connection.begin(13, '{"query": ""}', f"X-Request-ID: {name}\r\n")
            eventually(partial(_is_asked_more, elasticsearch, before), "the search is under way")
            if is_begun:
                assert connection.socket.recv(1) == b"H"
            # So that the other end is told at once (socket(7)).
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elasticsearch.held.set()
    eventually(
        lambda: sorted(name for each in events() if (name := each["metadata"]["request_id"]) in names) == names,
        "every event is on the topic",
    )
    with ThreadPoolExecutor(THREADS) as pool:
        assert {answer.status for answer in pool.map(small.post, [b'{"query": ""}'] * 2 * THREADS)} == {200}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Bearer " + "x" * 50_000], 401),
        (["Bearer " + "x" * 200_000], 431),
        (["Bearer a.b.c", "Bearer a.b.c"], 401),
        (["Bearer a.b.c", "Octoxlabs b2N0b0FkbWlu"], 401),
        (["Bearer a.b.c, Octoxlabs b2N0b0FkbWlu"], 401),
        (["Bearer \xe9\xff.\xa0.\xb2"], 401),
        (["Bearer \u00c4.b.c".encode().decode("latin-1")], 401),
        (["Octoxlabs b2N0b0FkbWlu\xa0"], 401),
        (["Bearer a\x00b"], 400),
        (["Bearer"], 401),
        ([""], 401),
    ],
)
def test_invalid_credentials_are_refused(headers: list[str], status: int, small: Gateway) -> None:
    lines = "".join(f"Authorization: {header}\r\n" for header in headers)
    with Connection(small) as connection, suppress(ConnectionError):
        connection.send(f"GET /search?q= HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n")
        answer = connection.answer()
        assert answer.startswith(f"HTTP/1.1 {status} ")
        if status == 401:
            assert '"code":"unauthenticated"' in answer
            assert "\r\nwww-authenticate: " in answer.lower()
    assert _is_well(small)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [("HEAD", "/healthz", 200), ("HEAD", "/search?q=", 200), ("OPTIONS", "/search", 405), ("OPTIONS", "*", 404)],
)
def test_head_and_options_are_answered_and_the_connection_serves_on(
    method: str, target: str, status: int, small: Gateway
) -> None:
    authorization = f"Authorization: {AUTHORIZATION['Authorization']}"
    with Connection(small) as connection:
        connection.send(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n\r\n")
        connection.send("GET /healthz HTTP/1.1\r\nHost: 10.1.2.3:8000\r\nConnection: close\r\n\r\n")
        received = b""
        while more := connection.socket.recv(65_536):
            received += more
    first, second = received.decode("latin-1").split("HTTP/1.1 ")[1:]
    assert (first[:3], second[:3]) == (str(status), "200")
    # An answer to HEAD has no body.
    assert first.endswith("\r\n\r\n") == (method == "HEAD")


def test_hundreds_of_requests_leave_no_memory_and_no_file_open(small: Gateway, worker: psutil.Process) -> None:
    bodies = [
        b'{"query": "Hostname = octoxlabs*"}',
        b'{"query": "Hostname ="}',
        b'{"query": "", "index": "users"}',
        b'{"query": "Hostname = octoxlabs*", "cursor": "start"}',
        b"nonsense",
    ]

    def ask(times: int) -> None:
        with ThreadPoolExecutor(4) as pool:
            statuses = set(pool.map(lambda number: small.post(bodies[number % len(bodies)]).status, range(times)))
        assert statuses == {200, 400, 403}

    ask(100)
    files, memory = worker.num_fds(), worker.memory_info().rss
    ask(500)
    eventually(lambda: worker.num_fds() <= files + 4, "the connections are closed")
    assert worker.memory_info().rss - memory < 8 * 1024 * 1024
