"""The gateway as a process, and the names of what the tests' gateways stand on."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import psutil
import psycopg
import urllib3
from django.conf import settings
from elasticsearch import Elasticsearch
from pytest_django import Settings

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from local import ports
from tests.support.postgresql import PostgreSQL, postgresql
from tests.support.process import python, running
from tests.support.waiting import wait_until_up

INDEX = "devices-gateway"
TOPIC = "gateway-test-events"
PARTITIONS = 6
PATIENCE_SECONDS = 30
MANY = "devices-many"
MANY_DOCUMENTS = 25_000

Search = Callable[..., Any]
FindEvent = Callable[[str], dict[str, Any] | None]
FindEvents = Callable[[str], list[dict[str, Any]]]

AUTHORIZATION = {"Authorization": "Octoxlabs b2N0b0FkbWlu", "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Backing:
    """The servers behind the gateway."""

    kafka_bootstrap: str
    elasticsearch_url: str
    translator_url: str


@contextmanager
def translator_process(elasticsearch_url: str) -> Iterator[str]:
    """A translator, from when it answers until the block ends; gives its address."""
    port = ports.free(1)[0]
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "TRANSLATOR_PORT": str(port), "ELASTICSEARCH_URL": elasticsearch_url}
    with running(*python("translator", "serve"), environment=environment):
        wait_until_up(f"{url}/healthz")
        yield url


class Gateway:
    """``python -m gateway`` with an environment of its own."""

    def __init__(self, variables: dict[str, str]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        self.environment = kept | variables
        self.url = f"http://127.0.0.1:{variables['GATEWAY_PORT']}"

    def run(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run to the end."""
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            env=self.environment | more,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def change_rows(self, statement: str) -> int:
        """Run a statement in its database, which takes no process; gives how many rows it has changed."""
        url = self.environment["GATEWAY_DATABASE_URL"]
        if url.startswith("sqlite:///"):
            file = url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(file, PATIENCE_SECONDS, isolation_level=None)) as database:
                return database.execute(statement).rowcount
        with psycopg.connect(url) as connection:
            return connection.execute(statement.encode()).rowcount

    @contextmanager
    def started(self, *before: str, log: Path | None = None, **more: str) -> Iterator[psutil.Popen]:
        """Serve, from when it answers until the block ends; ``before`` comes before the command."""
        with running(*before, *python("gateway"), environment=self.environment | more, log=log) as process:
            wait_until_up(f"{self.url}/healthz")
            yield process

    def post(self, body: Any, **headers: str) -> urllib3.BaseHTTPResponse:
        """``POST /search``; a body that is an iterator is sent in chunks."""
        return urllib3.request(
            "POST", f"{self.url}/search", body=body, headers=AUTHORIZATION | headers, retries=False, timeout=30.0
        )

    def search(self, *arguments: str, user: str = "octoAdmin") -> "subprocess.CompletedProcess[str]":
        """``python -m gateway search``."""
        return self.run("search", *arguments, "--user", user, "--url", self.url)


def kill(process: psutil.Popen) -> None:
    """SIGKILL a gateway with its workers, which would see their parent's end and stop in an orderly way."""
    family = [process, *process.children(recursive=True)]
    for each in family:
        each.kill()
    psutil.wait_procs(family, PATIENCE_SECONDS)


class Connection:
    """A connection from an address of this machine, on which bytes are sent as they are."""

    def __init__(self, gateway: Gateway, address: str = "127.0.0.1") -> None:
        url = urllib3.util.parse_url(gateway.url)
        assert url.host and url.port
        self.socket = socket.create_connection((url.host, url.port), PATIENCE_SECONDS, (address, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, text: str) -> None:
        """Send some bytes of a request."""
        self.socket.sendall(text.encode("latin-1"))

    def begin(self, length: int, body: str = "", head: str = "") -> None:
        """Send the head of a search, with more lines of it if there are any, and a part of its body."""
        head += "".join(f"{name}: {value}\r\n" for name, value in AUTHORIZATION.items())
        self.send(f"POST /search HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: {length}\r\n\r\n{body}")

    def answer(self) -> str:
        """Read until the answer is whole, or the connection ends."""
        received = b""
        while True:
            head, _, body = received.partition(b"\r\n\r\n")
            length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), None)
            if length and _ and len(body) >= int(length.partition(b":")[2]):
                return received.decode("latin-1")
            more = self.socket.recv(65_536)
            if not more:
                return received.decode("latin-1")
            received += more


def configured_gateway(home: Path, backing: Backing, database: PostgreSQL | None = None, /, **more: str) -> Gateway:
    """A gateway that is ready to be started, with one known user.

    Args:
        home: the folder of its files.
        database: one of ``gateway_postgresql``; by default it has SQLite's, in ``home``.
        more: its variables.
    """
    if database is None:
        (home / "gateway.db").write_bytes(_sqlite(backing))
    else:
        more["GATEWAY_DATABASE_URL"] = database.url
    return _configured(home, backing, more)


@contextmanager
def gateway_postgresql(backing: Backing) -> Iterator[PostgreSQL]:
    """A PostgreSQL server with a gateway's tables and one known user, that runs until the context ends."""
    with postgresql(data=Path(_postgresql_data(backing).name, "data")) as server:
        yield server


def gateway_database(kind: str, backing: Backing, running: ExitStack) -> PostgreSQL | None:
    """The database of a gateway, for ``configured_gateway``.

    Args:
        kind: "sqlite" or "postgresql", which is started.
        running: ends it.
    """
    return running.enter_context(gateway_postgresql(backing)) if kind == "postgresql" else None


@cache
def _sqlite(backing: Backing) -> bytes:
    """SQLite's file of a gateway's database, made once for all."""
    with TemporaryDirectory() as folder:
        _make_database(_configured(Path(folder), backing, {}))
        return (Path(folder) / "gateway.db").read_bytes()


@cache
def _postgresql_data(backing: Backing) -> "TemporaryDirectory[str]":
    """The folder with the data of a server with a gateway's database, made once for all."""
    # Kept until the process ends.
    made = TemporaryDirectory()  # pylint: disable=consider-using-with
    Path(made.name).chmod(0o755)
    with TemporaryDirectory() as folder, postgresql() as server:
        _make_database(_configured(Path(folder), backing, {"GATEWAY_DATABASE_URL": server.url}))
        server.stop()
        server.data.rename(Path(made.name, "data"))
    return made


def _make_database(gateway: Gateway) -> None:
    assert gateway.run("migrate", "--verbosity", "0").returncode == 0
    assert gateway.run("user", "octoAdmin").stdout == "created: octoAdmin\n"


def _configured(home: Path, backing: Backing, more: dict[str, str]) -> Gateway:
    return Gateway(
        {
            "TMPDIR": str(home),
            "GATEWAY_SECRET_KEY": "only for this test, and as long as every key has to be",
            "GATEWAY_JWT_KEYS": os.environ["GATEWAY_JWT_KEYS"],
            "GATEWAY_PORT": str(ports.free(1)[0]),
            "GATEWAY_DATABASE_URL": f"sqlite:///{home / 'gateway.db'}",
            "GATEWAY_SPOOL_DIR": str(home / "spool"),
            "GATEWAY_UNSIGNED_TOKENS": "true",
            "GATEWAY_USER_RATE": "100000/second",
            "GATEWAY_TYPING_RATE": "100000/second",
            "GATEWAY_ADDRESS_RATE": "100000/second",
            "GATEWAY_SEARCH_INDICES": INDEX,
            "GATEWAY_TRANSLATOR_URL": backing.translator_url,
            "ELASTICSEARCH_URL": backing.elasticsearch_url,
            "KAFKA_BOOTSTRAP_SERVERS": backing.kafka_bootstrap,
            "AUDIT_TOPIC": TOPIC,
            **more,
        }
    )


def configure(stack: Settings, **gateway: object) -> None:
    """Change the gateway's own settings for the rest of the test."""
    stack.GATEWAY = stack.GATEWAY.model_copy(update=gateway)


def elasticsearch_client() -> Elasticsearch:
    """A client of the Elasticsearch that the gateway's settings name."""
    return _client(settings.ELASTICSEARCH)


@cache
def _client(elasticsearch: ElasticsearchSettings) -> Elasticsearch:
    return connect(elasticsearch, request_timeout=float(PATIENCE_SECONDS))


def open_contexts(index: str | None = None) -> int:
    """How many points in time the server holds open, of one index or of all; those that others left run out."""
    stats = elasticsearch_client().indices.stats(index=index, metric="search")
    contexts: int = stats["_all"]["total"]["search"]["open_contexts"]
    return contexts
