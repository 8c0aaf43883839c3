"""Ending a process that has only begun."""

import signal
import time
from pathlib import Path

import psutil

from tests.support.waiting import eventually

PATIENCE_SECONDS = 10.0


def handles_sigterm(pid: int) -> bool:
    """Whether SIGTERM would not just kill a process: the mask ``SigCgt`` of proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)


def assert_sigterm_ends_a_start(process: psutil.Popen, seconds: float) -> None:
    """Send SIGTERM so long after the process has begun; it ends with status 0, without a complaint or a child left.

    Args:
        process: it has just been started, with its standard error in a pipe.
        seconds: since its first lines of Python: before them it can only be killed.
    """
    eventually(lambda: handles_sigterm(process.pid), "it handles SIGTERM")
    # The moment itself is tested, so here nothing can be waited for.
    time.sleep(seconds)
    family = process.children(recursive=True)
    process.terminate()
    assert process.stderr is not None
    shown = process.stderr.read().decode()
    assert process.wait(PATIENCE_SECONDS) == 0, (seconds, shown)
    assert "Traceback" not in shown and "ERROR" not in shown, (seconds, shown)
    assert not psutil.wait_procs(family, PATIENCE_SECONDS)[1]
