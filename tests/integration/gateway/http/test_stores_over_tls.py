"""The gateway's database and Redis in the containers: by TLS alone, with the deployment's own authority."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import urllib3
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.support.gateway import PATIENCE_SECONDS
from tests.support.stores import Stores, make_secrets_of, stores

_PASSWORD = "correct horse battery staple"
_OURS_BY_TLS = """
    SELECT array_agg(DISTINCT ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
    WHERE application_name = 'sluice-gateway'
"""


@pytest.fixture(scope="module", name="it")
def fixture_it() -> Iterator[Stores]:
    """Both servers, with the gateway's tables, which bootstrap has made."""
    # Not below pytest's own folder, which is closed to other users.
    home = Path(tempfile.mkdtemp(prefix="stores-"))
    home.chmod(0o755)
    try:
        with stores(home) as it:
            migrated = it.gateway("bootstrap").run("migrate", "--verbosity", "0")
            assert migrated.returncode == 0, migrated.stderr
            yield it
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def strange_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of another deployment's authority."""
    folder = tmp_path_factory.mktemp("other") / "secrets"
    make_secrets_of(folder)
    return folder / "command-gateway" / "ca.crt"


def _with_authority(url: str, certificate: Path) -> str:
    address, _, _ = url.rpartition("=")
    return f"{address}={certificate}"


def test_the_gateway_keeps_users_and_counters_there_by_tls(it: Stores) -> None:
    gateway = it.gateway("command-gateway")
    made = subprocess.run(
        [sys.executable, "-m", "gateway", "user", "ada", "--password"],
        env=gateway.environment,
        input=_PASSWORD,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert made.stdout == "created: ada\n", made.stderr
    login = {"username": "ada", "password": _PASSWORD}
    with gateway.started(), psycopg.connect(it.url("database-url")) as database:
        answer = urllib3.request("POST", f"{gateway.url}/auth/token", json=login, timeout=PATIENCE_SECONDS)
        assert answer.status == 200, answer.data
        assert database.execute(_OURS_BY_TLS).fetchone() == ([True],)
    with Redis.from_url(it.url("redis-url")) as client:
        assert [*client.scan_iter("sluice*")], "no counter of the gateway's is there"


def test_the_database_refuses_whoever_comes_without_tls(it: Stores) -> None:
    plain = it.url("database-url").replace("sslmode=verify-full", "sslmode=disable")
    assert plain != it.url("database-url")
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(plain)
    refused = it.gateway("command-gateway", GATEWAY_DATABASE_URL=plain).run("user", "eve")
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr


def test_redis_answers_no_client_without_tls(it: Stores) -> None:
    secured = it.url("redis-url")
    assert secured.startswith("rediss:")
    plain = secured.replace("rediss:", "redis:").partition("?")[0]
    with Redis.from_url(plain) as client, pytest.raises(RedisConnectionError):
        client.ping()


def test_both_are_known_by_their_authority(it: Stores, strange_authority: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(_with_authority(it.url("database-url"), strange_authority))
    url = _with_authority(it.url("redis-url"), strange_authority)
    with Redis.from_url(url) as client, pytest.raises(RedisConnectionError, match="certificate verify failed"):
        client.ping()


def test_both_are_known_by_their_name(it: Stores) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        psycopg.connect(it.url("database-url").replace("@localhost:", "@127.0.0.1:"))
    url = it.url("redis-url").replace("@localhost:", "@127.0.0.1:")
    with Redis.from_url(url) as client, pytest.raises(RedisConnectionError, match="certificate verify failed"):
        client.ping()
