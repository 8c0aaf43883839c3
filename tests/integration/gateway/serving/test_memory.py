"""A gateway in its container's memory: a hundred times anything at once ends no worker, and others search."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import orjson
import psutil
import pytest
import urllib3
from elasticsearch.helpers import bulk

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from tests.support.gateway import (
    AUTHORIZATION,
    INDEX,
    PATIENCE_SECONDS,
    Backing,
    Connection,
    Gateway,
    configured_gateway,
)
from tests.support.memory_limit import limited
from tests.support.waiting import eventually

LIMIT = 512 * 1024 * 1024
"""The gateway's in the compose file."""
AT_ONCE = 100
LONG = "devices-of-many-values"
DOCUMENTS = 1_000
MEGABYTE = 1_000_000
ATTACKERS = ("127.0.0.2",)
OTHER = {"Authorization": "Octoxlabs Z3JhY2U=", "Content-Type": "application/json"}
"""As the user grace."""
EXPECTED = {200, 302, 400, 401, 403, 404, 413, 415, 429, 431, 503}


@pytest.fixture(scope="module")
def long_documents(backing: Backing) -> str:
    """The name of an index of documents of 20 KB that are many values when they are read."""
    properties = {"Hostname": {"type": "keyword"}, "Ports": {"type": "integer", "index": False, "doc_values": False}}
    with connect(ElasticsearchSettings(url=backing.elasticsearch_url), request_timeout=60.0) as client:
        client.options(ignore_status=404).indices.delete(index=LONG)
        client.indices.create(index=LONG, mappings={"properties": properties})
        ports = list(range(10_000, 13_300))
        actions = ({"_index": LONG, "Hostname": f"h{number}", "Ports": ports} for number in range(DOCUMENTS))
        bulk(client, actions, chunk_size=50, refresh=True)
    return LONG


@pytest.fixture(scope="module")
def serving(
    tmp_path_factory: pytest.TempPathFactory, backing: Backing, long_documents: str
) -> Iterator[tuple[Gateway, psutil.Popen]]:
    """A gateway in that memory, with one worker and two users, and its process."""
    indices = f"{long_documents},{INDEX}"
    home = tmp_path_factory.mktemp("memory")
    # That the other user is answered at all is the promise, however slow the machine is.
    patient = {f"GATEWAY_{name}_TIMEOUT": "60" for name in ("REQUEST", "SEARCH", "TRANSLATOR", "AUDIT")}
    gateway = configured_gateway(home, backing, GATEWAY_SEARCH_INDICES=indices, **patient)
    assert gateway.run("user", "grace").stdout == "created: grace\n"
    with limited(LIMIT) as group, gateway.started(*group) as process:
        yield gateway, process


@pytest.fixture
def gateway(serving: tuple[Gateway, psutil.Popen]) -> Iterator[Gateway]:
    """That gateway, which has not lost a worker after the test, nor ever taken more than its container has."""
    started, process = serving
    (worker,) = process.children()
    yield started
    assert process.children() == [worker]
    assert _peak(process) + _peak(worker) < LIMIT


def _peak(process: psutil.Process) -> int:
    """The most that was in memory of it, in bytes (proc_pid_status(5))."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    (kibibytes,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(kibibytes) * 1024


def _object(**members: Any) -> bytes:
    return orjson.dumps(members)


def _list(member: str, value: str) -> bytes:
    values = ",".join([value] * (MEGABYTE // (len(value) + 1)))
    return f'{{"query": "", "{member}": [{values}]}}'.encode()


_OBJECTS = b"[" + b",".join([b"{}"] * 349_000) + b"]"
_EVERYTHING = _object(query="", size=DOCUMENTS)
_FORM = b"&".join(b"a%d=" % number for number in range(100_000))
_MULTIPART = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\na\r\n' * 12_000 + b"--b--\r\n"

ATTACKS: dict[str, tuple[str, str, bytes, dict[str, str]]] = {
    "log in with objects": ("POST", "/auth/token", _OBJECTS, {"Authorization": ""}),
    "log in with passwords": ("POST", "/auth/token", _object(username="grace", password="x" * 1_000), {}),
    "exchange objects": ("POST", "/api/token/token", _OBJECTS, {"Authorization": ""}),
    "search objects": ("POST", "/search", _OBJECTS, {}),
    "search objects as a stranger": ("POST", "/search", _OBJECTS, {"Authorization": "Bearer a.b.c"}),
    "translate objects": ("POST", "/translate", _OBJECTS, {}),
    "complete objects": ("POST", "/complete", _OBJECTS, {}),
    "numbers as fields": ("POST", "/search", _list("fields", "1"), {}),
    "numbers to sort by": ("POST", "/search", _list("sort", "1"), {}),
    "short names as fields": ("POST", "/search", _list("fields", '"a"'), {}),
    "numbers as the vendor's fields": ("POST", "/devices/devices", _list("fields", "1"), {}),
    "orderings": ("POST", "/devices/devices", _list("ordering", "{}"), {}),
    "unknown members": ("POST", "/search", b'{"query":"",%s}' % b",".join(b'"%d":1' % n for n in range(99_000)), {}),
    "deep lists": ("POST", "/search", b"[" * MEGABYTE, {}),
    "deep objects": ("POST", "/search", b'{"a":' * (MEGABYTE // 5), {}),
    "one long number": ("POST", "/search", b'{"query": "", "size": %s}' % (b"9" * MEGABYTE), {}),
    "one long text": ("POST", "/search", _object(query="\U0001f600" + "a" * MEGABYTE), {}),
    "text of escapes": ("POST", "/search", b'{"query": "%s"}' % (b"\\u00e9" * (MEGABYTE // 6)), {}),
    "empty names in the query string": ("GET", f"/search?q=&fields={',' * 60_000}", b"", {}),
    "a form": ("POST", "/admin/login/", _FORM, {"Content-Type": "application/x-www-form-urlencoded"}),
    "files": ("POST", "/admin/login/", _MULTIPART, {"Content-Type": "multipart/form-data; boundary=b"}),
    "long documents": ("POST", "/search", _EVERYTHING, {}),
    "a snapshot of long documents": ("POST", "/search", _object(query="", size=DOCUMENTS, cursor="start"), {}),
    "long documents as the vendor": ("POST", "/devices/devices", _EVERYTHING, {}),
    "streams": ("POST", "/search", _object(query=""), {"Accept": "application/x-ndjson"}),
}


def _attack(gateway: Gateway, pool: urllib3.PoolManager, attack: tuple[str, str, bytes, dict[str, str]]) -> int:
    """The status of one request; 0 where the gateway hung up, as it may on a body that it does not want."""
    method, path, body, headers = attack
    try:
        response = pool.request(
            method, gateway.url + path, body=body, headers=AUTHORIZATION | headers, retries=False, preload_content=False
        )
        for _ in response.stream(65_536):
            pass
        response.release_conn()
        return response.status
    except (urllib3.exceptions.HTTPError, ConnectionError):
        return 0


def _inside(gateway: Gateway) -> float:
    """How many requests have a thread, or wait for one."""
    text = urllib3.request("GET", f"{gateway.url}/metrics", retries=False, timeout=PATIENCE_SECONDS).data.decode()
    (line,) = [each for each in text.splitlines() if each.startswith('gateway_requests_inside{bulkhead="requests"')]
    return float(line.rpartition(" ")[2])


class _Others:
    """Another user's searches, one after the other, while something else is going on."""

    def __init__(self, gateway: Gateway) -> None:
        self._url = f"{gateway.url}/search"
        self._stop = Event()
        self.statuses: Counter[int | str] = Counter()
        self.slowest = 0.0

    def search(self) -> None:
        """Search until told to stop."""
        body = _object(query="Hostname = octoxlabs*", index=INDEX)
        with urllib3.PoolManager() as pool:
            while not self._stop.is_set() or not self.statuses:
                started = monotonic()
                try:
                    response = pool.request("POST", self._url, body=body, headers=OTHER, retries=False, timeout=90.0)
                    self.statuses[response.status if response.status == 200 else response.data.decode()] += 1
                except urllib3.exceptions.HTTPError as error:
                    self.statuses[error.__class__.__name__] += 1
                self.slowest = max(self.slowest, monotonic() - started)

    def stop(self) -> None:
        """Let the search that is under way be the last."""
        self._stop.set()


def _while_another_searches(gateway: Gateway, work: Callable[[], Counter[int]]) -> tuple[Counter[int], _Others]:
    others = _Others(gateway)
    with ThreadPoolExecutor(1) as pool:
        searching = pool.submit(others.search)
        try:
            statuses = work()
        finally:
            others.stop()
        searching.result()
    return statuses, others


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hundred_at_once_end_no_worker_and_another_user_searches_on(name: str, gateway: Gateway) -> None:
    def work() -> Counter[int]:
        with ExitStack() as stack:
            pools = [
                stack.enter_context(urllib3.PoolManager(maxsize=AT_ONCE, source_address=(address, 0)))
                for address in ATTACKERS
            ]
            threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
            asked = [threads.submit(_attack, gateway, pools[n % len(pools)], ATTACKS[name]) for n in range(AT_ONCE)]
            return Counter(answer.result() for answer in asked)

    statuses, others = _while_another_searches(gateway, work)
    assert set(statuses) - {0} <= EXPECTED
    assert set(others.statuses) == {200}


def test_a_hundred_who_take_no_answer_end_no_worker_and_another_user_searches_on(gateway: Gateway) -> None:
    with ExitStack() as stack:

        def work() -> Counter[int]:
            for number in range(AT_ONCE):
                connection = stack.enter_context(Connection(gateway, ATTACKERS[number % len(ATTACKERS)]))
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                connection.begin(len(_EVERYTHING), _EVERYTHING.decode())
            # But for the other user's.
            eventually(lambda: _inside(gateway) <= 1, "no thread is kept", 3 * PATIENCE_SECONDS)
            return Counter()

        _, others = _while_another_searches(gateway, work)
    assert set(others.statuses) == {200}
