"""nginx as it is deployed, in front of one command gateway and two query gateways, on PostgreSQL."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
import urllib3
from joserfc.jwk import RSAKey
from psycopg import errors
from psycopg.conninfo import make_conninfo

from local import ports
from local.identity_provider import new_key
from tests.support import edge as nginx
from tests.support.edge import Edge
from tests.support.gateway import INDEX, Backing, Gateway, configured_gateway, gateway_postgresql
from tests.support.hostile_provider import CLIENT_ID, CLIENT_SECRET, HostileProvider, hostile_provider
from tests.support.process import Process, python
from tests.support.waiting import eventually

PASSWORD = "correct horse battery staple"
PRODUCT = {"sku": "S-1", "name": "Saw", "price": 5}


@dataclass(frozen=True, slots=True)
class Sides:
    """Gateways by their names, as processes, and the edge in front of them."""

    edge: Edge
    gateways: dict[str, Gateway]
    processes: dict[str, Process]
    database_url: str
    token: str
    provider: HostileProvider

    def ask(self, method: str, target: str, body: Any = None, *, known: bool = True, **headers: str) -> Any:
        """Ask by way of the edge, as an administrator or as nobody."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if known:
            sent["Authorization"] = f"Bearer {self.token}"
        return self.edge.request(method, target, body=None if body is None else orjson.dumps(body), headers=sent)

    def log_in(self) -> Any:
        """Log in by way of the edge."""
        return self.ask("POST", "/auth/token", {"username": "ada", "password": PASSWORD}, known=False)

    def start(self, name: str) -> None:
        """Start a gateway, and wait until it answers."""
        self.processes[name].start()
        eventually(lambda: ports.answers(int(self.gateways[name].environment["GATEWAY_PORT"])), f"{name} answers")

    def served_by(self, response: Any) -> str:
        """The name of the gateway that has answered."""
        address = self.edge.logged(response)["sluice.upstream.address"]
        return next(name for name, each in self.gateways.items() if each.url == f"http://{address}")


@pytest.fixture(scope="module")
def sides(  # pylint: disable=too-many-locals  # its parts
    tmp_path_factory: pytest.TempPathFactory, backing: Backing
) -> Iterator[Sides]:
    """Three gateways; those that read have a database user and keys with which they can do no more."""
    home = tmp_path_factory.mktemp("sides")
    with ExitStack() as ends:
        server = ends.enter_context(gateway_postgresql(backing))
        provider = ends.enter_context(hostile_provider(new_key("one")))
        corp = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "bearer": True}
        told = {
            "GATEWAY_PROVIDERS": orjson.dumps({"corp": corp}).decode(),
            "GATEWAY_LOOPBACK_PROVIDERS": "true",
            "GATEWAY_TRUSTED_PROXIES": "127.0.0.1/32",
            "GATEWAY_SEARCH_INDICES": f"{INDEX},products",
            "GATEWAY_UNSIGNED_TOKENS": "false",
        }
        command = configured_gateway(home, backing, server, GATEWAY_ROLE="command", **told)
        _make_administrator(command)
        limited_url = _secure(command, home, server.url)
        gateways = {"command": command}
        for name in ("query-1", "query-2"):
            own = {
                "GATEWAY_ROLE": "query",
                "GATEWAY_PORT": str(ports.free(1)[0]),
                "GATEWAY_SPOOL_DIR": str(home / name),
                "GATEWAY_DATABASE_URL": limited_url,
                "GATEWAY_SECRET_KEY": "the key of the query gateways, by which they sign their cursors",
                "GATEWAY_JWT_KEYS": RSAKey.import_key(command.environment["GATEWAY_JWT_KEYS"])
                .as_pem(private=False)
                .decode(),
            }
            gateways[name] = Gateway(command.environment | own)
        processes = {
            name: Process(*python("gateway"), environment=each.environment, log=home / f"{name}.log")
            for name, each in gateways.items()
        }
        (home / "edge").mkdir()
        addresses = {name: each.url.removeprefix("http://") for name, each in gateways.items()}
        queries = [addresses["query-1"], addresses["query-2"]]
        edge = ends.enter_context(nginx.serving(home / "edge", queries, command=addresses["command"]))
        it = Sides(edge, gateways, processes, limited_url, "", provider)
        for name, process in processes.items():
            it.start(name)
            ends.callback(process.stop)
        token = it.log_in().json()["access_token"]
        yield Sides(edge, gateways, processes, limited_url, token, provider)
        for name, process in processes.items():
            if not process.is_running:
                it.start(name)


def _make_administrator(gateway: Gateway) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "gateway", "user", "ada", "--role", "admin", "--password"],
        env=gateway.environment,
        input=PASSWORD,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.stdout == "created: ada\n", made.stderr


def _secure(command: Gateway, home: Path, url: str) -> str:
    passwords = home / "passwords"
    passwords.mkdir()
    for name in ("query-gateway", "live"):
        (passwords / name).write_text("first\n", encoding="utf-8")
    said = "sluice_query: has its grants and password\nsluice_live: has its grants and password\n"
    for _ in range(2):
        done = command.run("secure", "--passwords", str(passwords))
        assert (done.returncode, done.stdout) == (0, said), done.stderr
    return url.replace("postgres://sluice@", "postgres://sluice_query@")


@pytest.fixture
def product(sides: Sides) -> Iterator[str]:
    """The path of a document that is there."""
    path = "/inventory/product/S-1"
    assert sides.ask("PUT", path, PRODUCT).status == 201
    yield path
    assert sides.ask("DELETE", path, If_Match="*").status == 204


def test_writes_go_to_the_command_gateway_and_reads_to_both_query_gateways(sides: Sides, product: str) -> None:
    written = sides.ask("PUT", product, PRODUCT | {"price": 6}, If_Match="*")
    assert (written.status, sides.served_by(written)) == (200, "command")
    assert sides.served_by(sides.log_in()) == "command"
    assert sides.served_by(sides.ask("GET", "/auth/me")) == "command"
    reads = [sides.ask("GET", product, known=False) for _ in range(4)]
    assert {(each.status, each.json()["price"]) for each in reads} == {(200, 6)}
    assert {sides.served_by(each) for each in reads} == {"query-1", "query-2"}
    found = [sides.ask("POST", "/search", {"query": "", "size": 1}) for _ in range(4)]
    assert {each.status for each in found} == {200}
    assert {sides.served_by(each) for each in found} == {"query-1", "query-2"}


def test_a_token_of_a_provider_is_taken_by_either_side(sides: Sides) -> None:
    owner = make_conninfo(sides.gateways["command"].environment["GATEWAY_DATABASE_URL"])
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO identity_identity (user_id, issuer, subject, created_at) "
            "SELECT id, %s, 'ada', now() FROM identity_user WHERE username = 'ada'",
            [sides.provider.issuer],
        )
    now = int(time.time())
    claims = {"iss": sides.provider.issuer, "sub": "ada", "aud": CLIENT_ID, "iat": now, "exp": now + 600}
    theirs = replace(sides, token=sides.provider.id_token(claims))
    for method, target, body in (("GET", "/auth/me", None), *[("POST", "/search", {"query": "", "size": 1})] * 2):
        assert theirs.ask(method, target, body).status == 200


def test_the_query_gateways_read_inbox_subscriptions_and_deliveries_and_take_tickets_for_downloads(
    sides: Sides,
) -> None:
    for path in ("/notifications", "/subscriptions", "/deliveries"):
        read = sides.ask("GET", path)
        assert (read.status, sides.served_by(read)[:5]) == (200, "query"), read.data
    search = {"query": "Hostname = octoxlabs*", "fields": ["Hostname"]}
    ticket = sides.ask("POST", "/auth/tickets", {"for": "download", "search": search, "format": "csv"})
    assert ticket.status == 201, ticket.data
    file = sides.ask("GET", f"/downloads/{ticket.json()['ticket']}", known=False)
    assert (file.status, file.data.splitlines()[0]) == (200, b"Hostname"), file.data


def test_what_is_saved_is_written_by_the_command_gateway_and_read_by_the_query_gateways(sides: Sides) -> None:
    paths = []
    for kind, body in (("searches", {"title": "Linux", "query": ""}), ("collections", {"title": "Monday"})):
        made = sides.ask("POST", f"/{kind}/", body)
        assert (made.status, sides.served_by(made)) == (201, "command"), made.data
        paths += [made.headers["Location"], f"/{kind}/", f"/{kind}/?orphaned=true"]
    watched = sides.ask("PUT", f"{paths[0]}/watch", {})
    assert (watched.status, sides.served_by(watched)) == (200, "command"), watched.data
    for path in paths:
        read = sides.ask("GET", path)
        assert (read.status, sides.served_by(read)[:5]) == (200, "query"), read.data


def test_an_import_goes_to_the_command_gateway(sides: Sides) -> None:
    lines = b'{"sku": "S-9", "name": "Nail"}\n{"sku": "S-9", "_deleted": true}\n'
    headers = {"Authorization": f"Bearer {sides.token}", "Content-Type": "application/x-ndjson"}
    answer = sides.edge.request("POST", "/inventory/product/import", body=lines, headers=headers)
    assert (answer.status, sides.served_by(answer)) == (200, "command")


def test_each_side_refuses_what_is_the_other_s(sides: Sides) -> None:
    searched = urllib3.request("POST", f"{sides.gateways['command'].url}/search", json={"query": ""})
    written = urllib3.request("PUT", f"{sides.gateways['query-1'].url}/inventory/product/S-2", json=PRODUCT)
    for answer in (searched, written):
        assert (answer.status, answer.json()["code"]) == (421, "misdirected")
    assert "a query gateway" in searched.json()["detail"]


def test_a_cursor_is_read_on_by_the_other_query_gateway(sides: Sides) -> None:
    first = sides.ask("POST", "/search", {"query": "", "size": 2, "cursor": "start"})
    second = sides.ask("POST", "/search", {"query": "", "size": 2, "cursor": first.json()["next"]})
    assert (first.status, second.status) == (200, 200)
    assert sides.served_by(first) != sides.served_by(second)


def test_a_download_by_ticket_is_served_once_by_a_query_gateway(sides: Sides) -> None:
    search = {"query": "Hostname = octoxlabs*", "index": INDEX, "fields": ["Hostname"]}
    made = sides.ask("POST", "/auth/tickets", {"for": "download", "search": search, "format": "ndjson"})
    assert (made.status, sides.served_by(made)) == (201, "command")
    path = f"/downloads/{made.json()['ticket']}"
    file = sides.ask("GET", path, known=False)
    assert (file.status, sides.served_by(file)[:5]) == (200, "query")
    assert {orjson.loads(line)["Hostname"][:9] for line in file.data.splitlines()} == {"octoxlabs"}
    assert [sides.ask("GET", path, known=False).status for _ in range(2)] == [401, 401]


def test_reads_and_searches_go_on_while_the_command_gateway_is_down(sides: Sides, product: str) -> None:
    sides.processes["command"].stop()
    try:
        assert sides.ask("GET", product, known=False).status == 200
        assert sides.ask("POST", "/search", {"query": "", "size": 1}).status == 200
        refused = sides.ask("PUT", product, PRODUCT, If_Match="*")
        assert (refused.status, refused.json()["code"]) == (502, "overloaded")
        assert refused.headers["Retry-After"] == "5"
        assert sides.log_in().status == 502
    finally:
        sides.start("command")
    eventually(lambda: sides.ask("PUT", product, PRODUCT | {"price": 7}, If_Match="*").status == 200, "writes go on")


def test_writes_and_log_ins_go_on_while_the_query_gateways_are_down(sides: Sides, product: str) -> None:
    for name in ("query-1", "query-2"):
        sides.processes[name].stop()
    try:
        assert sides.ask("PUT", product, PRODUCT | {"price": 8}, If_Match="*").status == 200
        assert sides.log_in().status == 200
        assert sides.ask("GET", product, known=False).status == 502
    finally:
        for name in ("query-1", "query-2"):
            sides.start(name)
    eventually(lambda: sides.ask("GET", product, known=False).status == 200, "reads go on")


def test_a_command_gateway_is_ready_without_what_searches_need(sides: Sides) -> None:
    ready = urllib3.request("GET", f"{sides.gateways['command'].url}/readyz")
    assert (ready.status, set(ready.json()["dependencies"])) == (200, {"database", "kafka"})
    ready = urllib3.request("GET", f"{sides.gateways['query-1'].url}/readyz")
    assert (ready.status, set(ready.json()["dependencies"])) == (
        200,
        {"database", "elasticsearch", "kafka", "translator"},
    )


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password FROM identity_user",
        "SELECT email FROM identity_user",
        "SELECT * FROM identity_apikey",
        "SELECT * FROM identity_refreshfamily",
        "SELECT * FROM identity_identity",
        "SELECT sealed_secret FROM identity_totp",
        "UPDATE identity_user SET role = 'admin'",
        "DELETE FROM identity_deniedtoken",
        "INSERT INTO identity_ticket (digest) VALUES ('x')",
        "UPDATE identity_ticket SET user_id = 1",
        "UPDATE identity_ticket SET purpose = 'download'",
        "UPDATE inventory_document SET body = NULL",
        "INSERT INTO inventory_relay_state (id, epoch, last_feed, positions) VALUES (1, 0, 0, '{}')",
        "DELETE FROM inventory_change",
        "UPDATE inventory_type SET index = 'devices'",
        "UPDATE saved_item SET owner_id = 1",
        "INSERT INTO saved_share (saved_id, user_id, role) VALUES (gen_random_uuid(), 1, 'editor')",
        "SELECT event FROM saved_outbox",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_database_user_of_the_query_gateways_can_do_no_more_than_it_must(sides: Sides, statement: str) -> None:
    with psycopg.connect(make_conninfo(sides.database_url)) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
def test_a_write_that_may_have_reached_a_gateway_is_not_sent_to_another(tmp_path: Path, method: str) -> None:
    received: list[bytes] = []

    def hang_up(listener: socket.socket) -> None:
        with listener:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    received.append(connection.recv(65536))

    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    for listener in listeners:
        threading.Thread(target=hang_up, args=(listener,), daemon=True).start()
    addresses = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    with nginx.serving(tmp_path, addresses) as edge:
        # The query side has two gateways to choose from, as a command side could.
        answer = edge.request(method, "/cursors", body=b"{}")
        assert (answer.status, answer.json()["code"]) == (502, "overloaded")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert len(received) == 1
        received.clear()
        edge.request("GET", "/cursors")
        assert len(received) == 2
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
