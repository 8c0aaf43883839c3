"""PostgreSQL and Redis as the compose file starts them, with the secrets of a first start.

Their programs are Debian's, which are older than the images' and know the same options.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from redis import Redis
from redis.exceptions import RedisError

from deploy.first_start import readers
from deploy.first_start.command_line import main as make_secrets
from local import ports
from tests.support.compose import compose, environment
from tests.support.gateway import Gateway
from tests.support.paths import ROOT
from tests.support.process import find_program, running
from tests.support.waiting import eventually

# PostgreSQL refuses to run as root, for whom both run as another user: one of its own, as in the containers.
_ACCOUNT = "nobody" if os.geteuid() == 0 else None


@dataclass(frozen=True, slots=True)
class Stores:
    """Where both servers are, and the secrets that they and the gateway have."""

    home: Path
    database_port: int
    redis_port: int

    def moved(self, text: str, reader: str) -> str:
        """A text of the compose file or of a secret, with this machine's places in it."""
        places = {
            "/run/secrets": str(self.home / "secrets" / reader),
            "/etc/postgresql": str(self.home),
            "/var/lib/sluice": str(self.home),
            "@postgres:5432": f"@localhost:{self.database_port}",
            "@redis:6379": f"@localhost:{self.redis_port}",
        }
        for old, new in places.items():
            text = text.replace(old, new)
        return text

    def url(self, name: str, reader: str = "command-gateway") -> str:
        """The URL of a store as its reader has it."""
        return self.moved((self.home / "secrets" / reader / name).read_text(encoding="utf-8"), reader)

    def gateway(self, service: str, **more: str) -> Gateway:
        """The gateway with what the compose file tells a service that runs it; no Kafka answers."""
        reader = service.removesuffix("-1")
        told = {name: self.moved(value, reader) for name, value in environment(service).items()}
        for name, file in (("GATEWAY_DATABASE_URL", "database-url"), ("GATEWAY_REDIS_URL", "redis-url")):
            if told.pop(f"{name}_FILE", None):
                told[name] = self.url(file, reader)
        port, nowhere = ports.free(2)
        told |= {"GATEWAY_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "TMPDIR": str(self.home)}
        return Gateway(told | {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{nowhere}"} | more)

    @contextmanager
    def serving(self, service: str, *own: str) -> Iterator[None]:
        """A server, started by the compose file's command and with options of this machine's behind it."""
        program, *options = compose()["services"][service]["command"]
        command = [find_program(program), *(self.moved(option, service) for option in options), *own]
        log = self.home / f"{service}.log"
        with running(*command, cwd=self.home, user=_ACCOUNT, log=log) as process:
            yield
            # PostgreSQL's fast shutdown, which waits for no client.
            process.send_signal(signal.SIGINT)


@contextmanager
def stores(home: Path) -> Iterator[Stores]:
    """Both servers while the context lasts, with an empty database; any user can enter the folder."""
    make_secrets_of(home / "secrets")
    it = Stores(home, *ports.free(2))
    with ExitStack() as ends:
        ends.enter_context(_postgresql(it))
        own = ["--port", "0", "--tls-port", str(it.redis_port), "--bind", "127.0.0.1"]
        ends.enter_context(it.serving("redis", *own))
        with Redis.from_url(it.url("redis-url")) as client:
            eventually(lambda: _succeeds(client.ping), "Redis answers")
        yield it


def make_secrets_of(folder: Path) -> None:
    """A first start; what belongs to the two servers is for the user that they run as alone."""
    folder.mkdir()
    server = pwd.getpwnam(_ACCOUNT).pw_uid if _ACCOUNT else os.getuid()
    with pytest.MonkeyPatch.context() as patch:
        owners = dict.fromkeys(readers.OWNERS, os.getuid()) | {"postgres": server, "redis": server}
        patch.setattr(readers, "OWNERS", owners)
        assert make_secrets([str(folder)]) == 0


@contextmanager
def _postgresql(it: Stores) -> Iterator[None]:
    """Made by the compose file's variables, as its image does."""
    told = {name: it.moved(value, "postgres") for name, value in environment("postgres").items()}
    shutil.copy(ROOT / "deploy/postgres/pg_hba.conf", it.home)
    data = it.home / "data"
    data.mkdir(0o700)
    if _ACCOUNT:
        shutil.chown(data, _ACCOUNT)
    options = ["--pgdata", str(data), "--username", told["POSTGRES_USER"], "--no-sync"]
    options += [f"--pwfile={told['POSTGRES_PASSWORD_FILE']}", *told["POSTGRES_INITDB_ARGS"].split()]
    made = subprocess.run(
        [find_program("initdb"), *options], cwd=it.home, user=_ACCOUNT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    own = [f"port={it.database_port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={data}", "fsync=off"]
    inside = make_conninfo(
        host=str(data),
        port=it.database_port,
        user=told["POSTGRES_USER"],
        password=Path(told["POSTGRES_PASSWORD_FILE"]).read_text(encoding="utf-8"),
        dbname="postgres",
    )
    with it.serving("postgres", "-D", str(data), *(part for each in own for part in ("-c", each))):
        eventually(lambda: _succeeds(lambda: psycopg.connect(inside).close()), "PostgreSQL answers")
        with psycopg.connect(inside, autocommit=True) as connection:
            connection.execute("CREATE DATABASE sluice")
        yield


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (psycopg.OperationalError, RedisError):
        return False
    return True
