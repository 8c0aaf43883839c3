"""Two gateways on one database: what several at once must not get past, on SQLite and on PostgreSQL."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from typing import Any

import orjson
import pytest
import urllib3
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from gateway.http.database import read_database_url
from gateway.http.database_timeout import at_most
from gateway.identity.views import MAX_KEYS
from gateway.search.cursors import MAX_OPEN
from local import ports
from tests.support.gateway import (
    AUTHORIZATION,
    PATIENCE_SECONDS,
    Backing,
    Gateway,
    configured_gateway,
    gateway_database,
)
from tests.support.postgresql import PostgreSQL
from tests.support.waiting import eventually

PASSWORD = "correct horse battery staple"
AT_ONCE = 24


class Replicas:
    """Gateways that share a database; requests go to each in turn."""

    def __init__(self, gateways: list[Gateway], server: PostgreSQL | None) -> None:
        self.gateways = gateways
        self.server = server
        self._pool = urllib3.PoolManager(maxsize=50, retries=False, timeout=PATIENCE_SECONDS)

    def ask(
        self, method: str, path: str, body: Any = None, token: str | None = None, gateway: int = 0
    ) -> urllib3.BaseHTTPResponse:
        """Send one request."""
        headers = AUTHORIZATION if token is None else AUTHORIZATION | {"Authorization": f"Bearer {token}"}
        return self._pool.request(
            method, f"{self.gateways[gateway].url}{path}", body=orjson.dumps(body or {}), headers=headers
        )

    def ask_at_once(
        self, method: str, path: str, body: Any, token: str | None = None, times: int = AT_ONCE
    ) -> list[Any]:
        """Send one request so many times at the same time."""
        with ThreadPoolExecutor(times) as clients:
            turns = islice(cycle(range(len(self.gateways))), times)
            sent = [clients.submit(self.ask, method, path, body, token, turn) for turn in turns]
            return [each.result() for each in sent]

    def log_in(self) -> dict[str, Any]:
        """Get tokens for the one user."""
        answer = self.ask("POST", "/auth/token", {"username": "octoAdmin", "password": PASSWORD})
        assert answer.status == 200, answer.data
        tokens: dict[str, Any] = answer.json()
        return tokens


def _statuses(answers: list[Any]) -> dict[int, int]:
    return dict(Counter(answer.status for answer in answers))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def replicas(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, backing: Backing
) -> Iterator[Replicas]:
    """Two gateways on a database with its tables and one user, who has a password."""
    home = tmp_path_factory.mktemp(request.param)
    with ExitStack() as running:
        server = gateway_database(request.param, backing, running)
        first = configured_gateway(home, backing, server)
        subprocess.run(
            [sys.executable, "-m", "gateway", "user", "octoAdmin", "--password"],
            env=first.environment,
            input=PASSWORD,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
        )
        own = {"GATEWAY_PORT": str(ports.free(1)[0]), "GATEWAY_SPOOL_DIR": str(home / "spool-2")}
        second = Gateway(first.environment | own)
        for gateway in (first, second):
            running.enter_context(gateway.started())
        yield Replicas([first, second], server)


def test_a_change_by_one_is_read_by_the_other(replicas: Replicas) -> None:
    token = replicas.log_in()["access_token"]
    me = replicas.ask("GET", "/auth/me", token=token, gateway=1).json()
    assert me == {"username": "octoAdmin", "role": "searcher", "indices": ["devices-gateway"], "writable_types": []}
    key = replicas.ask("POST", "/auth/keys", {"name": "export"}, token).json()
    exchanged = replicas.ask("POST", "/auth/token", {"api_key": key["api_key"]}, gateway=1)
    assert exchanged.status == 200
    assert replicas.ask("DELETE", f"/auth/keys/{key['id']}", token=token, gateway=1).status == 204
    assert replicas.ask("GET", "/auth/me", token=exchanged.json()["access_token"]).status == 401


def test_fifty_simultaneous_uses_of_a_refresh_token_have_one_successor_and_log_nobody_out(replicas: Replicas) -> None:
    token = replicas.log_in()["refresh_token"]
    answers = replicas.ask_at_once("POST", "/auth/token/refresh", {"refresh_token": token}, times=50)
    assert _statuses(answers) == {200: 50}
    successors = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    for gateway, answer in enumerate(answers[:2]):
        assert replicas.ask("GET", "/auth/me", token=answer.json()["access_token"], gateway=gateway).status == 200
    # One generation has passed: the successor is the newest token, and a use of it makes the first one too old.
    [successor] = successors
    renewed = replicas.ask("POST", "/auth/token/refresh", {"refresh_token": successor}, gateway=1)
    assert renewed.status == 200
    assert replicas.ask("POST", "/auth/token/refresh", {"refresh_token": token}).status == 401
    again = {"refresh_token": renewed.json()["refresh_token"]}
    assert replicas.ask("POST", "/auth/token/refresh", again, gateway=1).status == 401


def test_of_simultaneous_cursors_a_user_gets_as_many_as_there_may_be(replicas: Replicas) -> None:
    body = {"query": "Hostname = octoxlabs*", "size": 1, "cursor": "start"}
    answers = replicas.ask_at_once("POST", "/search", body)
    assert _statuses(answers) == {200: MAX_OPEN, 429: AT_ONCE - MAX_OPEN}


def test_of_simultaneous_api_keys_a_user_gets_as_many_as_there_may_be(replicas: Replicas) -> None:
    token = replicas.log_in()["access_token"]
    answers = replicas.ask_at_once("POST", "/auth/keys", {"name": "export"}, token)
    assert _statuses(answers) == {201: MAX_KEYS, 400: AT_ONCE - MAX_KEYS}
    made = [answer.json()["id"] for answer in answers if answer.status == 201]
    assert _statuses([replicas.ask("DELETE", f"/auth/keys/{each}", token=token) for each in made]) == {204: MAX_KEYS}


def test_one_token_that_is_revoked_many_times_at_once_is_revoked(replicas: Replicas) -> None:
    token = replicas.log_in()["access_token"]
    answers = replicas.ask_at_once("POST", "/auth/revoke", {"token": token})
    assert _statuses(answers) == {200: AT_ONCE}
    assert replicas.ask("GET", "/auth/me", token=token, gateway=1).status == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/auth/keys/%00", None),
        ("DELETE", "/auth/keys/" + "x" * 5000, None),
        ("POST", "/auth/keys", {"name": "a\0b"}),
        ("POST", "/auth/token", {"username": "octo\0Admin", "password": PASSWORD}),
        ("POST", "/auth/token", {"api_key": "sluice_\0"}),
    ],
)
def test_text_that_a_database_cannot_hold_is_the_client_s_mistake(
    method: str, path: str, body: Any, replicas: Replicas
) -> None:
    token = replicas.log_in()["access_token"]
    assert replicas.ask(method, path, body, token).status in (204, 400, 401)


@pytest.mark.parametrize("replicas", ["postgresql"], indirect=True)
def test_a_database_that_was_away_is_found_again(replicas: Replicas) -> None:
    assert replicas.server is not None
    replicas.server.stop()
    try:
        away = replicas.ask("POST", "/search", {"query": ""})
        assert (away.status, away.json()["code"]) == (503, "overloaded")
        assert replicas.ask("GET", "/healthz").status == 200
    finally:
        replicas.server.start()
    assert _statuses(replicas.ask_at_once("POST", "/search", {"query": ""})) == {200: AT_ONCE}


@pytest.mark.parametrize("replicas", ["postgresql"], indirect=True)
def test_a_database_that_stands_still_is_named_by_readiness_within_seconds(replicas: Replicas) -> None:
    assert replicas.server is not None
    assert replicas.ask("GET", "/readyz").json()["dependencies"]["database"] == "up"
    with replicas.server.frozen():
        eventually(
            lambda: replicas.ask("GET", "/readyz").json()["dependencies"]["database"] == "down", "down in /readyz"
        )
        assert replicas.ask("GET", "/healthz").status == 200
    eventually(lambda: replicas.ask("GET", "/readyz").status == 200, "ready again")
    assert replicas.ask("POST", "/search", {"query": ""}).status == 200


@pytest.mark.parametrize("replicas", ["postgresql"], indirect=True)
def test_a_statement_is_given_up_by_the_database_and_if_that_does_not_by_the_gateway(
    replicas: Replicas, django_db_blocker: DjangoDbBlocker
) -> None:
    assert replicas.server is not None
    connection = ConnectionHandler({"default": dict(read_database_url(replicas.server.url))})["default"]
    with django_db_blocker.unblock():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                assert cursor.fetchone() == ("10s",)
                with replicas.server.frozen(), at_most(0.2), pytest.raises(OperationalError, match="timeout"):
                    cursor.execute("SELECT 1")
            assert not connection.is_usable()
            connection.close()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                assert cursor.fetchone() == (1,)
        finally:
            connection.close()


@pytest.mark.parametrize("replicas", ["postgresql"], indirect=True)
def test_a_kept_connection_is_checked_without_a_statement(
    replicas: Replicas, django_db_blocker: DjangoDbBlocker
) -> None:
    assert replicas.server is not None
    databases = ConnectionHandler({"default": dict(read_database_url(replicas.server.url))})
    connection, other = databases["default"], databases.create_connection("default")
    with django_db_blocker.unblock():
        try:
            for each in (connection, other):
                each.ensure_connection()
            with replicas.server.frozen():
                assert connection.is_usable()
            with connection.cursor() as cursor:
                cursor.execute("LISTEN told")
            with other.cursor() as cursor:
                cursor.execute("NOTIFY told")
                assert connection.is_usable()
                cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
            eventually(lambda: not connection.is_usable(), "the end of the connection is seen")
        finally:
            connection.close()
            other.close()
