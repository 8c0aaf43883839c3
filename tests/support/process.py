"""Programs as processes that end with the test."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.paths import ROOT

_END_SECONDS = 60


def python(*arguments: str) -> list[str]:
    """The command of one of the project's modules, which is stopped when the tests are killed."""
    return [sys.executable, "-m", "local.tether", sys.executable, "-m", *arguments]


def find_program(name: str) -> str:
    """Where a program of the system is; the test is skipped where it is missing, except in CI."""
    # Debian has servers where a user's PATH does not look.
    folders = [os.environ["PATH"], "/usr/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    found = shutil.which(name, path=":".join(folders))
    if found is None and "CI" not in os.environ:
        pytest.skip(f"{name} is not installed")
    assert found is not None
    return found


@contextmanager
def running(
    *command: str, environment: Mapping[str, str] | None = None, log: Path | None = None, **options: Any
) -> Iterator[psutil.Popen]:
    """A process that is told to end (SIGTERM) when the context does, and waited for.

    Args:
        command: the program and its arguments.
        environment: all of its variables; by default the tests' own.
        log: a file for both of its output streams.
        options: of ``subprocess.Popen``.
    """
    with ExitStack() as ends:
        if log is not None:
            options |= {"stdout": ends.enter_context(log.open("wb")), "stderr": subprocess.STDOUT}
        with psutil.Popen(command, cwd=options.pop("cwd", ROOT), env=environment, **options) as process:
            try:
                yield process
            finally:
                # The test may have ended it itself.
                with suppress(psutil.NoSuchProcess):
                    process.terminate()


class Process:
    """A program that a test starts, freezes and ends as often as it wants; what still runs, the test must end.

    Args:
        command: the program and its arguments.
        options: as for ``running``.
    """

    def __init__(self, *command: str, **options: Any) -> None:
        self._running = partial(running, *command, **options)
        self._lifetime = ExitStack()
        self._process: psutil.Popen | None = None

    def start(self) -> None:
        """Start it, or start it again after its end."""
        self._process = self._lifetime.enter_context(self._running())

    @property
    def process(self) -> psutil.Popen:
        """The process that was started last."""
        assert self._process is not None, "it was never started"
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether it lives, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def stop(self, number: signal.Signals = signal.SIGTERM, within: float = _END_SECONDS) -> int:
        """Send it a signal that ends it, and wait for the end; its exit status."""
        with suppress(psutil.NoSuchProcess):
            self.process.send_signal(number)
        status: int = self.process.wait(within)
        self._lifetime.close()
        return status

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP, to it and to all below it: they live with their connections open, and do nothing."""
        for each in self._family():
            each.suspend()

    def thaw(self) -> None:
        """SIGCONT."""
        for each in self._family():
            each.resume()

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]
