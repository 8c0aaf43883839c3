"""A rolling update of the gateways, as the chart does it: the edge forgets a pod, then the pod is stopped, then another
one takes its place."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count

import orjson
import pytest

from local import ports
from tests.support import edge as nginx
from tests.support.edge import Edge
from tests.support.gateway import AUTHORIZATION, INDEX, Backing, Gateway, configured_gateway
from tests.support.process import Process, python
from tests.support.waiting import eventually, wait_until_up

_CLIENTS = 4
_SEARCH = orjson.dumps({"query": "Hostname = octoxlabs*"})


class _Load:
    """Clients at addresses of their own, who search one after the other until the context ends."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._ends = threading.Event()
        self.answers: Counter[int] = Counter()

    def run(self, address: str) -> None:
        """Search, by POST and by GET in turn; an answer that does not come fails the test."""
        for number in count():
            if self._ends.wait(0.03):
                return
            if number % 2:
                answer = self._edge.request("POST", "/search", body=_SEARCH, headers=AUTHORIZATION, client=address)
            else:
                answer = self._edge.request("GET", "/search?q=Hostname%3Docto*", headers=AUTHORIZATION, client=address)
            self.answers[answer.status] += 1

    def goes_on(self) -> None:
        """Wait until some more have their answers."""
        before = self.answers.total()
        eventually(lambda: self.answers.total() > before + 20, "searches are answered")

    def end(self) -> None:
        """Let each client end with the answer that it waits for."""
        self._ends.set()


@pytest.fixture
def gateways(tmp_path_factory: pytest.TempPathFactory, backing: Backing) -> Iterator[list[tuple[Gateway, Process]]]:
    """Two gateways, and their processes."""
    made = []
    with ExitStack() as ends:
        for name in ("first", "second"):
            home = tmp_path_factory.mktemp(name)
            told = {"GATEWAY_TRUSTED_PROXIES": "127.0.0.1/32", "GATEWAY_SEARCH_INDICES": INDEX}
            gateway = configured_gateway(home, backing, **told)
            process = Process(*python("gateway"), environment=gateway.environment, log=home / "log")
            process.start()
            ends.callback(process.stop)
            made.append((gateway, process))
        for gateway, _ in made:
            wait_until_up(f"{gateway.url}/healthz")
        yield made


def test_gateways_are_replaced_one_after_the_other_under_load_and_no_request_fails(
    tmp_path_factory: pytest.TempPathFactory, gateways: list[tuple[Gateway, Process]]
) -> None:
    addresses = [gateway.url.removeprefix("http://") for gateway, _ in gateways]
    with nginx.serving(tmp_path_factory.mktemp("edge"), addresses) as edge, ThreadPoolExecutor(_CLIENTS) as pool:
        load = _Load(edge)
        clients = [pool.submit(load.run, f"127.0.0.{10 + number}") for number in range(_CLIENTS)]
        try:
            for (gateway, process), other in zip(gateways, reversed(addresses), strict=True):
                load.goes_on()
                edge.route(addresses[0], [other])
                assert process.stop() == 0
                assert not ports.answers(int(gateway.environment["GATEWAY_PORT"]))
                load.goes_on()
                process.start()
                wait_until_up(f"{gateway.url}/healthz")
                edge.route(addresses[0], addresses)
            load.goes_on()
        finally:
            load.end()
        for client in clients:
            client.result()
        assert set(load.answers) == {200}
        tried = Counter(line["sluice.upstream.status"] for line in edge.log() if line["url.path"] == "/search")
        # Nor had the edge to ask another gateway once.
        assert tried == {"200": load.answers[200]}
