"""The translator's process over HTTP, on the real Elasticsearch."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

import orjson
import psutil
import pytest
import urllib3
from elasticsearch import Elasticsearch

from local import ports
from tests.support.faulty_proxy import in_front_of
from tests.support.process import python, running
from tests.support.sigterm import assert_sigterm_ends_a_start
from tests.support.waiting import eventually

_INDEX = "translator-app"
_MAPPING = {"properties": {"Hostname": {"type": "keyword"}, "Ip": {"type": "ip"}}}


@dataclass
class Answer:
    """An HTTP response, read."""

    status: int
    media_type: str
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


class Service:
    """A translator process."""

    def __init__(self, port: int, process: psutil.Popen) -> None:
        self.port = port
        self.process = process
        self.pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False, timeout=60, maxsize=41)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; a body that is not bytes is sent as JSON."""
        sent = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        if sent is not None:
            headers = {"Content-Type": "application/json", **{key.replace("_", "-"): it for key, it in headers.items()}}
        response = self.pool.request(method, path, body=sent, headers=headers)
        return Answer(response.status, response.headers.get("content-type", ""), response.headers, response.data)

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return self.request("GET", "/healthz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def translate(self, **members: Any) -> Answer:
        """Translate a query by the module's index."""
        return self.request("POST", "/translate", {"index": _INDEX, **members})


@contextmanager
def _process(environment: dict[str, str], stderr: int | None = None) -> Iterator[tuple[psutil.Popen, int]]:
    """A translator that is starting, and the port that it is told to take."""
    port = ports.free(1)[0]
    variables = {**os.environ, "TRANSLATOR_PORT": str(port), **environment}
    with running(*python("translator", "serve"), environment=variables, stderr=stderr) as process:
        yield process, port


@contextmanager
def _service(**environment: str) -> Iterator[Service]:
    with _process(environment) as (process, port):
        service = Service(port, process)
        eventually(service.is_up, "it answers")
        yield service


@pytest.fixture(scope="module")
def client(client: Elasticsearch) -> Iterator[Elasticsearch]:
    """The client, and the index that the tests name."""
    client.indices.create(index=_INDEX, mappings=_MAPPING)
    yield client
    client.indices.delete(index=_INDEX)


@pytest.fixture(scope="module")
def service(client: Elasticsearch, elasticsearch_url: str) -> Iterator[Service]:
    """One process for the module."""
    with _service(ELASTICSEARCH_URL=elasticsearch_url, TRANSLATOR_UNKNOWN_FIELD_REFRESH_SECONDS="0.01") as running:
        assert client.indices.exists(index=_INDEX)
        yield running


def test_a_query_is_translated_by_the_mapping_of_its_index(service: Service) -> None:
    answer = service.translate(query="hostname=octoxlabs*  and Ip = 10.0.0.0/8")
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json == {
        "query": {"bool": {"filter": [{"prefix": {"Hostname": "octoxlabs"}}, {"term": {"Ip": "10.0.0.0/8"}}]}},
        "names": ["Hostname", "Ip"],
        "canonical": "hostname = octoxlabs* AND Ip = 10.0.0.0/8",
        "notices": [],
        "sort": [],
        "source": True,
    }


def test_one_call_resolves_all_names_of_a_search(service: Service) -> None:
    answer = service.translate(query="", sort=["-hostname", "Ip"], fields=["IP"])
    assert answer.json["sort"] == [{"Hostname": {"order": "desc"}}, {"Ip": {"order": "asc"}}]
    assert answer.json["source"] == ["Ip"]


@pytest.mark.parametrize("parameter", ["sort", "fields"])
def test_an_unknown_name_beside_the_query_is_refused_without_a_place_in_it(service: Service, parameter: str) -> None:
    answer = service.translate(query="", **{parameter: ["Hostnme"]})
    assert (answer.status, answer.media_type) == (422, "application/problem+json")
    assert answer.json == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": f'{parameter}: unknown field "Hostnme"; did you mean "Hostname"?',
        "code": "unknown_field",
        "suggestions": ["Hostname"],
    }


def test_a_rejected_query_is_told_before_a_refused_name(service: Service) -> None:
    assert service.translate(query="Hostname =", sort=["Hostnme"]).json["code"] == "syntax"


def test_letter_case_is_ignored_on_request(service: Service) -> None:
    answer = service.translate(query="Hostname = WEB", case_insensitive=True)
    assert answer.json["query"] == {"term": {"Hostname": {"value": "WEB", "case_insensitive": True}}}


def test_a_rejected_query_says_where_and_why(service: Service) -> None:
    answer = service.translate(query="Ip = 10.0.0.0/8\nAND Hostnme = a")
    assert (answer.status, answer.media_type) == (422, "application/problem+json")
    assert answer.json == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": 'unknown field "Hostnme"; did you mean "Hostname"?',
        "code": "unknown_field",
        "position": 20,
        "end": 27,
        "line": 2,
        "column": 5,
        "caret": "AND Hostnme = a\n    ^^^^^^^",
        "suggestions": ["Hostname"],
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b"{}", 400, "malformed"),
        (b'{"query": 1}', 400, "malformed"),
        (b'{"query": "\\ud800"}', 400, "malformed"),
        (b'{"query": "a = 1", "querry": ""}', 400, "malformed"),
        (b'{"query": "", "case_insensitive": "yes"}', 400, "malformed"),
        (b'{"query": "", "sort": "Hostname"}', 400, "malformed"),
        (b'{"query": "", "fields": [1]}', 400, "malformed"),
        (b'{"query": "", "fields": [' + b",".join([b'"a"'] * 101) + b"]}", 400, "malformed"),
        (b'{"query": "", "index": "../_cluster"}', 400, "malformed"),
        (b'{"query": "", "index": "_all"}', 400, "malformed"),
        (b'{"query": "", "index": "a,b"}', 400, "malformed"),
        (b'{"query": "", "index": "no-such-index"}', 404, "not_found"),
        (b'{"query": "", "index": "no-such-*"}', 404, "not_found"),
        (b'{"query": "' + b"a" * 1_200_000 + b'"}', 413, "too_large"),
        (b"[" * 500_000, 400, "malformed"),
        (b'{"index": "translator-app", "query": "' + b"(" * 1_000_000 + b'"}', 422, "too_complex"),
    ],
)
def test_a_bad_request_is_a_problem(service: Service, body: bytes, status: int, code: str) -> None:
    answer = service.request("POST", "/translate", body)
    assert (answer.status, answer.media_type, answer.json["code"]) == (status, "application/problem+json", code)
    assert answer.json["detail"]


def test_a_body_of_another_kind_is_refused(service: Service) -> None:
    answer = service.request("POST", "/translate", b"query=a", Content_Type="application/x-www-form-urlencoded")
    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")


def test_a_body_without_a_length_is_limited_too(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        head = ["POST /translate HTTP/1.1", "Host: x", "Content-Type: application/json", "Transfer-Encoding: chunked"]
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"

        def send() -> None:
            # The server answers and closes before all of it has been sent.
            with suppress(OSError):
                for _ in range(1_000):
                    connection.sendall(chunk)

        sender = threading.Thread(target=send)
        sender.start()
        assert connection.recv(12) == b"HTTP/1.1 413"
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        sender.join()


def test_a_body_in_pieces_is_read_to_its_end_and_the_connection_serves_on(service: Service) -> None:
    body = orjson.dumps({"index": _INDEX, "query": "Hostname = a"})
    head = "POST /translate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:])) + b"0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        for length, sent in ((f"Content-Length: {len(body)}", body), ("Transfer-Encoding: chunked", chunks)) * 2:
            connection.sendall(f"{head}{length}\r\n\r\n".encode())
            for piece in (sent[:20], sent[20:]):
                connection.sendall(piece)
            answer = HTTPResponse(connection)
            answer.begin()
            assert (answer.status, orjson.loads(answer.read())["canonical"]) == (200, "Hostname = a")


def test_a_body_that_ends_early_is_no_fault_of_the_service(elasticsearch_url: str) -> None:
    with _process({"ELASTICSEARCH_URL": elasticsearch_url}, subprocess.PIPE) as (process, port):
        service = Service(port, process)
        eventually(service.is_up, "it answers")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = "POST /translate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            connection.sendall(head.encode())
        assert service.is_up()
        process.terminate()
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/translate", 405, "method_not_allowed"),
        ("GET", "/fields?index=..", 400, "malformed"),
        ("GET", "/fields?index=no-such-index", 404, "not_found"),
    ],
)
def test_a_wrong_address_is_a_problem(service: Service, method: str, path: str, status: int, code: str) -> None:
    answer = service.request(method, path)
    assert (answer.status, answer.media_type, answer.json["code"]) == (status, "application/problem+json", code)


def test_the_fields_of_an_index_are_listed(service: Service) -> None:
    answer = service.request("GET", f"/fields?index={_INDEX}")
    assert answer.status == 200
    ip = next(field for field in answer.json["fields"] if field["name"] == "Ip")
    assert ip["type"] == "ip"
    assert "BETWEEN" in ip["operators"] and "~" not in ip["operators"]
    assert ip["sortable"] is True


def test_a_field_that_has_just_been_mapped_is_known(service: Service, client: Elasticsearch) -> None:
    assert service.translate(query="Fresh = 1").json["code"] == "unknown_field"
    client.indices.put_mapping(index=_INDEX, properties={"Fresh": {"type": "long"}})
    eventually(lambda: service.translate(query="Fresh = 1").status == 200, "the new field is known")
    assert service.translate(query="Fresh = 1").json["query"] == {"term": {"Fresh": 1}}


@pytest.mark.parametrize("parameter", ["sort", "fields"])
def test_a_name_beside_the_query_that_has_just_been_mapped_is_known(
    service: Service, client: Elasticsearch, parameter: str
) -> None:
    name = f"fresh-{parameter}"
    assert service.translate(query="", **{parameter: [name]}).json["code"] == "unknown_field"
    client.indices.put_mapping(index=_INDEX, properties={name: {"type": "long"}})
    eventually(lambda: service.translate(query="", **{parameter: [name]}).status == 200, "the new field is known")


def test_completion_offers_fields_operators_keywords_and_values_of_the_index(
    service: Service, client: Elasticsearch
) -> None:
    for name in ("web.1", "web-2", "web-2", "db 1"):
        client.index(index=_INDEX, document={"Hostname": name})
    client.indices.refresh(index=_INDEX)

    def offered(query: str) -> list[str]:
        members = {"index": _INDEX, "query": query, "cursor": len(query)}
        return [item["text"] for item in service.request("POST", "/complete", members).json["suggestions"]]

    assert offered("Host") == ["Hostname"]
    assert offered("Ip B") == ["BETWEEN"]
    assert offered("Ip = ::1 a") == ["AND"]
    assert offered("Hostname = we") == ["web-2", "web.1"]
    assert offered("Hostname = web.") == ["web.1"]
    assert offered("Hostname IN (web-2, d") == ['"db 1"']
    assert offered("Ip = ") == []
    too_far = service.request("POST", "/complete", {"index": _INDEX, "query": "", "cursor": 1})
    assert (too_far.status, too_far.json["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    ("query", "field"),
    [("Hostname = nobody", "Hostname"), ("hostname IN (a, ", "Hostname"), ("Host", None), ("Ip = ", None)],
)
def test_completion_says_of_which_field_it_looked_values_up(service: Service, query: str, field: str | None) -> None:
    members = {"index": _INDEX, "query": query, "cursor": len(query)}
    assert service.request("POST", "/complete", members).json["values_of"] == field
    assert "`values_of`" in service.request("GET", "/openapi.json").json["paths"]["/complete"]["post"]["description"]


def test_a_pattern_stands_for_several_indices(service: Service) -> None:
    assert service.request("POST", "/translate", {"query": "Ip = 10.0.0.1", "index": "translator-ap*"}).status == 200


def test_health_readiness_metrics_and_the_document_are_served(service: Service) -> None:
    assert service.request("GET", "/healthz").json == {"status": "ok"}
    ready = service.request("GET", "/readyz")
    assert (ready.status, ready.json) == (200, {"status": "ready", "dependencies": {"elasticsearch": "ok"}})
    service.translate(query="")
    metrics = service.request("GET", "/metrics").body.decode()
    assert 'translator_translations_total{outcome="ok"}' in metrics
    document = service.request("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    assert (
        "query"
        in document["paths"]["/translate"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    )


def test_long_queries_hold_up_neither_short_ones_nor_the_health_of_the_process(service: Service) -> None:
    members = {"index": _INDEX, "query": " OR ".join(f"Hostname < {number:050}" for number in range(1_000))}
    longest = orjson.dumps(members)
    with ThreadPoolExecutor(40) as pool:
        long = [pool.submit(service.request, "POST", "/translate", longest) for _ in range(40)]
        # With the first answer, the others are in the translator's hands.
        next(as_completed(long))
        assert service.request("GET", "/healthz").status == 200
        assert service.translate(query="Hostname = a").status == 200
        assert service.request("POST", "/complete", {"index": _INDEX, "query": "Host", "cursor": 4}).status == 200
        assert [each for each in long if not each.done()]
        assert {each.result().status for each in long} == {200}


def test_long_completions_hold_up_no_short_ones(service: Service) -> None:
    query = " OR ".join(f"Hostname < {number:050}" for number in range(1_000))
    longest = orjson.dumps({"index": _INDEX, "query": query, "cursor": len(query)})
    with ThreadPoolExecutor(40) as pool:
        long = [pool.submit(service.request, "POST", "/complete", longest) for _ in range(40)]
        next(as_completed(long))
        assert service.translate(query="Hostname = a").status == 200
        assert [each for each in long if not each.done()]
        assert {each.result().status for each in long} == {200}


def test_without_elasticsearch_an_index_not_seen_yet_is_a_503() -> None:
    nobody = f"http://127.0.0.1:{ports.free(1)[0]}"
    with _service(ELASTICSEARCH_URL=nobody) as service:
        answer = service.translate(query="Hostname = a")
        assert (answer.status, answer.json["code"]) == (503, "search_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        ready = service.request("GET", "/readyz")
        assert (ready.status, ready.json["dependencies"]) == (503, {"elasticsearch": "unreachable"})
        assert service.request("GET", "/healthz").status == 200


def test_the_known_fields_outlive_elasticsearch(client: Elasticsearch, elasticsearch_url: str) -> None:
    assert client.indices.exists(index=_INDEX)
    target = urllib3.util.parse_url(elasticsearch_url)
    with (
        _relay(("127.0.0.1", target.port or 80)) as (port, cut),
        _service(ELASTICSEARCH_URL=f"http://127.0.0.1:{port}", TRANSLATOR_REFRESH_SECONDS="0.05") as service,
    ):
        assert service.translate(query="Hostname = a").status == 200
        cut()
        eventually(
            lambda: service.request("GET", "/readyz").json["dependencies"]["elasticsearch"] == "unreachable",
            "unreachable in /readyz",
        )
        assert service.request("GET", "/readyz").status == 200
        assert service.translate(query="Hostname = a").status == 200
        assert service.translate(query="Hostnam = a").json["code"] == "unknown_field"


@contextmanager
def _relay(target: tuple[str, int]) -> Iterator[tuple[int, Callable[[], None]]]:
    """A TCP relay that can be cut: its port, and the scissors."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_sockets: list[socket.socket] = [listener]
    threads: list[threading.Thread] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def accept() -> None:
        while True:
            try:
                inner = listener.accept()[0]
            except OSError:
                return
            outer = socket.create_connection(target)
            open_sockets.extend((inner, outer))
            for pair in ((inner, outer), (outer, inner)):
                threads.append(threading.Thread(target=pump, args=pair))
                threads[-1].start()

    def cut() -> None:
        for each in open_sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1], cut
    finally:
        cut()
        acceptor.join()
        for thread in threads:
            thread.join()


def test_sigterm_ends_it_cleanly_and_at_once(elasticsearch_url: str) -> None:
    with _service(ELASTICSEARCH_URL=elasticsearch_url) as service:
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(timeout=10) == 0


@pytest.mark.parametrize("tenths", range(0, 15, 2))
def test_sigterm_ends_a_start_cleanly_whenever_it_comes(tenths: int) -> None:
    seconds = tenths / 10 + random.uniform(0, 0.2)
    with _process({"ELASTICSEARCH_URL": "http://127.0.0.1:1"}, subprocess.PIPE) as (process, _):
        assert_sigterm_ends_a_start(process, seconds)


def test_sigterm_lets_what_is_in_hand_be_answered(client: Elasticsearch, elasticsearch_url: str) -> None:
    del client
    with in_front_of(elasticsearch_url) as proxy, _service(ELASTICSEARCH_URL=proxy.url) as service:
        proxy.held.clear()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(service.request, "GET", f"/fields?index={_INDEX}")
            eventually(lambda: proxy.requests == 1, "the request is under way")
            service.process.terminate()
            # The longer a stop takes, the more often the worker hears of it; that is what is tested.
            time.sleep(1)
            proxy.held.set()
            assert asked.result().status == 200
        assert service.process.wait(timeout=10) == 0


def test_a_worker_that_is_killed_is_replaced(elasticsearch_url: str) -> None:
    with _service(ELASTICSEARCH_URL=elasticsearch_url) as service:
        killed = service.process.children()[0]
        killed.kill()
        eventually(lambda: not killed.is_running() and service.is_up(), "another worker answers")
        service.process.terminate()
        assert service.process.wait(timeout=10) == 0


def test_workers_that_do_not_live_end_it_with_a_failure(elasticsearch_url: str) -> None:
    with _service(ELASTICSEARCH_URL=elasticsearch_url) as service:
        parent = service.process

        def is_over() -> bool:
            with suppress(psutil.NoSuchProcess):
                for worker in parent.children():
                    worker.kill()
            return service.process.poll() is not None

        eventually(is_over, "its end")
        assert service.process.returncode != 0


def test_a_killed_parent_leaves_no_worker(elasticsearch_url: str) -> None:
    with _service(ELASTICSEARCH_URL=elasticsearch_url) as service:
        family = service.process.children(recursive=True)
        service.process.kill()
        assert family
        assert not psutil.wait_procs(family, timeout=10)[1]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("TRANSLATOR_PORT", "none"), ("TRANSLATOR_BODY_BYTES", "1"), ("ELASTICSEARCH_URL", "nowhere")],
)
def test_a_bad_setting_is_one_line_that_names_it(variable: str, value: str) -> None:
    command = [sys.executable, "-m", "translator", "serve"]
    result = subprocess.run(
        command, env={**os.environ, variable: value}, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert variable in result.stderr


def test_a_port_that_is_taken_is_one_line_that_names_it(elasticsearch_url: str) -> None:
    with _service(ELASTICSEARCH_URL=elasticsearch_url) as service:
        command = [sys.executable, "-m", "translator", "serve"]
        result = subprocess.run(
            command,
            env={**os.environ, "TRANSLATOR_PORT": str(service.port)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert result.returncode == 2
        assert result.stderr.count("\n") == 1
        assert "TRANSLATOR_PORT" in result.stderr
        assert "Address already in use" in result.stderr
