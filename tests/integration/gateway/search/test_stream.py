"""``Accept: application/x-ndjson``: the whole answer, a document a line."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import psutil
import pytest
import urllib3
from django.test import Client
from elasticsearch.helpers import bulk
from pytest_django import Settings

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from gateway.identity.access_tokens import mint
from gateway.identity.models import DeniedToken, User
from gateway.search.connections import to_elasticsearch
from gateway.search.streams import MAX_STREAMS, MAX_STREAMS_OF_USER
from kit.kafka import KafkaSettings
from tests.support.gateway import (
    AUTHORIZATION,
    INDEX,
    MANY_DOCUMENTS,
    PATIENCE_SECONDS,
    Backing,
    FindEvent,
    Gateway,
    Search,
    configured_gateway,
    open_contexts,
)
from tests.support.problems import is_problem
from tests.support.waiting import eventually

NDJSON = {"Accept": "application/x-ndjson"}
LONG = "devices-long"
LONG_DOCUMENTS = 2_000
LONG_BYTES = 10_000

Stream = Callable[..., Any]


@pytest.fixture
def stream(search: Search) -> Iterator[Stream]:
    """``POST /search`` for a stream; each is closed in the end, as the server does it."""
    responses = []

    def post(query: str = "", **members: Any) -> Any:
        response = search(query, headers=NDJSON, **members)
        responses.append(response)
        return response

    yield post
    for response in responses:
        response.close()


@pytest.fixture(scope="session")
def long_documents(backing: Backing) -> str:
    """The name of an index of more than any buffer on the way holds: 20 MB."""
    with connect(ElasticsearchSettings(url=backing.elasticsearch_url)) as client:
        actions = (
            {"_index": LONG, "_id": str(number), "Hostname": f"long{number}", "Owner": "x" * LONG_BYTES}
            for number in range(LONG_DOCUMENTS)
        )
        bulk(client, actions, refresh=True)
    return LONG


@pytest.fixture
def gateway(tmp_path: Path, backing: Backing, long_documents: str) -> Gateway:
    """A gateway for the long documents that is ready to be started."""
    return configured_gateway(tmp_path, backing, GATEWAY_SEARCH_INDICES=long_documents)


@pytest.fixture
def serving(gateway: Gateway) -> Iterator[Gateway]:
    """A gateway that serves the long documents."""
    with gateway.started():
        yield gateway


def _lines(response: Any) -> list[Any]:
    assert (response.status_code, response["Content-Type"]) == (200, "application/x-ndjson")
    body = b"".join(response.streaming_content)
    assert not body or body.endswith(b"\n")
    return [orjson.loads(line) for line in body.splitlines()]


def test_every_document_is_a_line_in_the_order_that_was_asked_for(stream: Stream, many: str) -> None:
    lines = _lines(stream(index=many, sort=["-Hostname"], fields=["Hostname"]))
    assert lines == [{"Hostname": f"h{number:05}"} for number in reversed(range(MANY_DOCUMENTS))]


def test_without_an_order_every_document_comes_once(stream: Stream, many: str) -> None:
    names = [line["Hostname"] for line in _lines(stream("Site IN (3, 4)", index=many))]
    assert len(names) == len(set(names)) == MANY_DOCUMENTS / 5


def test_a_stream_has_the_documents_of_a_page(stream: Stream, search: Search) -> None:
    page = search("hostname = OCTOXLABS*", case_insensitive=True, sort=["Hostname"]).json()
    assert _lines(stream("hostname = OCTOXLABS*", case_insensitive=True, sort=["Hostname"])) == page["results"]


def test_nothing_found_is_an_empty_stream(stream: Stream) -> None:
    assert _lines(stream("Hostname = nobody")) == []


def test_parts_are_of_one_size_whatever_the_documents_are(stream: Stream, stack: Settings, long_documents: str) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"search_indices": (long_documents,)})
    parts = list(stream(index=long_documents).streaming_content)
    assert sum(part.count(b"\n") for part in parts) == LONG_DOCUMENTS
    assert max(map(len, parts)) < 2 * 1024 * 1024


def test_long_documents_behind_short_ones_come_fewer_at_a_time(
    stream: Stream, stack: Settings, long_documents: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"search_indices": (long_documents,)})
    # Room for two and no more.
    exchange = to_elasticsearch().exchange
    monkeypatch.setattr(exchange, "_limit", 3 * LONG_BYTES)
    names = [line["Hostname"] for line in _lines(stream("Hostname = long12?", index=long_documents))]
    assert len(names) == len(set(names)) == 10
    monkeypatch.setattr(exchange, "_limit", LONG_BYTES)
    assert is_problem(stream(index=long_documents), 400, "too_complex")


def test_the_notices_of_a_stream_are_in_a_header(stream: Stream, search: Search) -> None:
    query = "Site = '“an*'"
    value = stream(query)["X-Query-Notices"]
    assert value.isascii()
    assert orjson.loads(value) == search(query).json()["notices"] != []
    assert stream("Hostname = octoxlabs*")["X-Query-Notices"] == "[]"


def test_a_stream_is_one_event_without_hits_before_its_first_byte(stream: Stream, find_event: FindEvent) -> None:
    response = stream("Hostname = octoxlabs*", sort=["Hostname"])
    event = find_event(response["X-Query-ID"])
    assert event is not None
    assert event["event_type"] == "query.executed"
    assert event["data"] == {
        "query": "Hostname = octoxlabs*",
        "index": INDEX,
        "dsl": {"prefix": {"Hostname": "octoxlabs"}},
        "hits": None,
        "took_ms": None,
        "status": 200,
        "error": None,
        "target": None,
    }


@pytest.mark.parametrize(
    ("taken", "code"),
    [
        (lambda user: User.objects.filter(pk=user.pk).update(is_active=False), "unauthenticated"),
        (lambda user: User.objects.filter(pk=user.pk).update(granted_indices=[]), "forbidden"),
        (lambda user: DeniedToken.objects.deny(["the log-in"], datetime.now(UTC)), "unauthenticated"),
    ],
)
def test_a_stream_ends_at_the_next_page_when_its_caller_may_not_read_any_more(
    taken: Callable[[User], None], code: str, search: Search, many: str
) -> None:
    user = User.objects.get(username="octoAdmin")
    bearer = f"Bearer {mint(user, 'the log-in', datetime.now(UTC))}"
    response = search("", index=many, headers=NDJSON | {"Authorization": bearer})
    parts = iter(response.streaming_content)
    assert b"problem" not in next(parts)
    taken(user)
    (last,) = parts
    assert orjson.loads(last)["problem"]["code"] == code
    response.close()


def test_a_token_that_expires_under_way_ends_no_stream(search: Search, many: str) -> None:
    now = datetime.now(UTC)
    bearer = f"Bearer {mint(User.objects.get(username='octoAdmin'), 'the log-in', now, seconds=1)}"
    response = search("", index=many, headers=NDJSON | {"Authorization": bearer})
    parts = iter(response.streaming_content)
    next(parts)
    with patch("gateway.identity.authentication.datetime") as clock:
        clock.now.return_value = now + timedelta(hours=1)
        assert b"problem" not in b"".join(parts)
    response.close()


def test_a_stream_that_cannot_be_recorded_is_not_sent(stream: Stream, stack: Settings, closed_port: int) -> None:
    before = open_contexts()
    stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 0.5, "spool_bytes": 1})
    assert is_problem(stream(), 503, "audit_unavailable")
    assert open_contexts() == before


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"query": "Hostname ="}, 400, "syntax"),
        ({"query": "", "sort": ["Description"]}, 400, "malformed"),
        ({"query": "", "fields": ["Hostnme"]}, 400, "unknown_field"),
        ({"query": "", "size": 10}, 400, "malformed"),
        ({"query": "", "page": 2}, 400, "malformed"),
        ({"query": "", "cursor": "start"}, 400, "malformed"),
        ({"query": "", "explain": True}, 400, "malformed"),
        ({"query": "", "index": "users"}, 403, "forbidden"),
        ({"query": "", "index": "not-there"}, 404, "not_found"),
        ({"query": "Hostname ~ /(.*a){30}(.*b){50}.{100}/"}, 400, "too_complex"),
    ],
)
def test_an_error_before_the_first_byte_is_a_problem_and_an_event(
    members: dict[str, Any], status: int, code: str, stream: Stream, find_event: FindEvent
) -> None:
    before = open_contexts()
    response = stream(**members)
    assert is_problem(response, status, code)
    event = find_event(response.json()["query_id"])
    assert event is not None
    assert event["data"]["error"]["code"] == code
    assert open_contexts() == before


def test_an_error_on_the_way_is_the_last_line(stream: Stream, stack: Settings, many: str, closed_port: int) -> None:
    response = stream(index=many)
    parts = iter(response.streaming_content)
    first = next(parts)
    stack.ELASTICSEARCH = ElasticsearchSettings(url=f"http://127.0.0.1:{closed_port}")
    rest = list(parts)
    assert first.count(b"\n") == 100
    (line,) = rest
    problem = orjson.loads(line)["problem"]
    assert (problem["status"], problem["code"]) == (503, "search_unavailable")
    assert problem["query_id"] == response["X-Query-ID"]


def test_nothing_stays_open_whether_a_stream_is_read_or_not(stream: Stream, many: str) -> None:
    before = open_contexts(many)
    unread = stream(index=many)
    read = stream("Hostname = h00001", index=many)
    assert open_contexts(many) == before + 2
    assert len(_lines(read)) == 1
    read.close()
    unread.close()
    assert open_contexts(many) == before


def test_streams_have_a_bulkhead_of_their_own_with_room_for_several_users(
    stream: Stream, search: Search, client: Client, many: str
) -> None:
    def stream_as(name: str, token: str) -> Any:
        User.objects.get_or_create(username=name)
        headers = {"Authorization": f"Octoxlabs {token}", **NDJSON}
        body = {"query": "", "index": many}
        return client.post("/search", body, content_type="application/json", headers=headers)

    mine = [stream(index=many) for _ in range(MAX_STREAMS_OF_USER)]
    refused = stream(index=many)
    assert is_problem(refused, 429, "throttled")
    assert int(refused["Retry-After"]) > 0

    others = [stream_as("other", "b3RoZXI=") for _ in range(MAX_STREAMS - MAX_STREAMS_OF_USER)]
    assert {response.status_code for response in [*mine, *others]} == {200}
    assert is_problem(stream_as("third", "dGhpcmQ="), 503, "overloaded")
    assert search(index=many, size=1).status_code == 200

    others[0].close()
    assert stream_as("third", "dGhpcmQ=").status_code == 200
    for response in others:
        response.close()


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/x-ndjson", "application/x-ndjson"),
        ("APPLICATION/X-NDJSON;q=0.9", "application/x-ndjson"),
        ("application/x-ndjson, application/json;q=0.5", "application/x-ndjson"),
        ("application/json, application/x-ndjson;q=0.5", "application/json"),
        ("application/x-ndjson;q=0", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("application/x-ndjsonx", "application/json"),
        (",;q=,/;;", "application/json"),
        ("", "application/json"),
    ],
)
def test_an_answer_is_a_stream_where_that_is_preferred(accept: str, media_type: str, search: Search) -> None:
    response = search("Hostname = octoxlabs01", headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, media_type)
    response.close()


def _open(gateway: Gateway, receive_buffer: int | None = None) -> socket.socket:
    """A connection on which a stream has begun to come, and is not read."""
    connection = socket.socket()
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect(("127.0.0.1", urllib3.util.parse_url(gateway.url).port or 0))
    lines = ["GET /search?q= HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (AUTHORIZATION | NDJSON).items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    return connection


def test_a_client_that_hangs_up_leaves_nothing_open(serving: Gateway, stack: Settings) -> None:
    del stack
    before = open_contexts(LONG)
    # More than would be let in at once.
    for _ in range(MAX_STREAMS_OF_USER + 1):
        with _open(serving):
            assert open_contexts(LONG) == before + 1
        eventually(lambda: open_contexts(LONG) == before, "nothing is left open")


def test_documents_come_while_others_are_still_to_be_read(serving: Gateway, stack: Settings) -> None:
    del stack
    before = open_contexts(LONG)
    with _open(serving) as connection:
        assert open_contexts(LONG) == before + 1
        received = bytearray()
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received += connection.recv(1024 * 1024)
    assert received.count(b'"Hostname":"long') >= LONG_DOCUMENTS - 1
    eventually(lambda: open_contexts(LONG) == before, "nothing is left open")


def test_a_client_that_reads_fifteen_kilobytes_a_second_gets_the_whole_stream(
    serving: Gateway, stack: Settings
) -> None:
    del stack
    with _open(serving, receive_buffer=4_096) as connection:
        # Longer than a client may take nothing; a part of a mebibyte would take it 70 seconds.
        until = time.monotonic() + 40
        while time.monotonic() < until:
            assert connection.recv(1_500)
            time.sleep(0.1)
        tail = b""
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            more = connection.recv(1024 * 1024)
            assert more, "the stream was cut off"
            tail = (tail + more)[-10:]


def test_a_stream_that_a_stop_cuts_off_does_not_look_whole(gateway: Gateway, stack: Settings) -> None:
    del stack
    before = open_contexts(LONG)
    with gateway.started() as process, _open(gateway) as connection:
        process.terminate()
        tail = b""
        # Slower than the documents come, and not so slow that it passes for stalled.
        while more := connection.recv(64 * 1024):
            tail = (tail + more)[-10:]
            time.sleep(0.02)
        assert not tail.endswith(b"\r\n0\r\n\r\n")
        assert process.wait(PATIENCE_SECONDS) == 0
    assert open_contexts(LONG) == before


def test_a_stream_takes_no_more_memory_than_its_parts(gateway: Gateway, stack: Settings) -> None:
    del stack
    with gateway.started() as process:
        worker = psutil.Process(process.pid).children()[0]
        assert gateway.post(orjson.dumps({"query": "", "index": LONG, "size": 10})).status == 200
        before = worker.memory_info().rss
        with _open(gateway) as connection:
            received, highest = 0, before
            while more := connection.recv(1024 * 1024):
                received += len(more)
                highest = max(highest, worker.memory_info().rss)
                if more.endswith(b"\r\n0\r\n\r\n"):
                    break
    assert received > LONG_DOCUMENTS * LONG_BYTES
    assert highest - before < LONG_DOCUMENTS * LONG_BYTES
