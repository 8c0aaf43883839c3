"""Two gateways on one database, SQLite or PostgreSQL, with everything else down: a write needs nothing else."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from typing import Any

import orjson
import pytest
import urllib3

from local import ports
from tests.support.gateway import (
    AUTHORIZATION,
    PATIENCE_SECONDS,
    Backing,
    Gateway,
    configured_gateway,
    gateway_database,
)

AT_ONCE = 16


class Writers:
    """Gateways that share a database; requests go to each in turn."""

    def __init__(self, gateways: list[Gateway]) -> None:
        self.gateways = gateways
        self._pool = urllib3.PoolManager(maxsize=AT_ONCE, retries=False, timeout=10 * PATIENCE_SECONDS)

    def ask(self, method: str, path: str, body: Any = None, gateway: int = 0, **headers: str) -> Any:
        """Send one request; a body of bytes, or one that is an iterator, is sent as it is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = orjson.dumps(body) if isinstance(body, dict | list) else body
        return self._pool.request(
            method, f"{self.gateways[gateway].url}{path}", body=data, headers=AUTHORIZATION | named
        )

    def at_once(self, *asked: Callable[[int], Any]) -> list[Any]:
        """Call each with the number of a gateway, ``AT_ONCE`` at the same time."""
        turns = islice(cycle(range(len(self.gateways))), len(asked))
        with ThreadPoolExecutor(AT_ONCE) as clients:
            sent = [clients.submit(each, turn) for each, turn in zip(asked, turns, strict=True)]
            return [each.result() for each in sent]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def writers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writers]:
    """Two gateways, and one user, an administrator."""
    home = tmp_path_factory.mktemp(request.param)
    closed = f"127.0.0.1:{ports.free(1)[0]}"
    backing = Backing(closed, f"http://{closed}", f"http://{closed}")
    with ExitStack() as running:
        first = configured_gateway(home, backing, gateway_database(request.param, backing, running))
        assert first.run("user", "octoAdmin", "--role", "admin").returncode == 0
        own = {"GATEWAY_PORT": str(ports.free(1)[0]), "GATEWAY_SPOOL_DIR": str(home / "spool-2")}
        second = Gateway(first.environment | own)
        for gateway in (first, second):
            running.enter_context(gateway.started())
        yield Writers([first, second])
