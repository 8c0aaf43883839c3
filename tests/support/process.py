"""Programs as processes that end with the test."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.paths import ROOT


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
        environment: all of its variables; the tests' own if there is none.
        log: a file for what it writes on both streams.
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
