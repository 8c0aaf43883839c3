"""Which signals a process handles."""

import signal
from pathlib import Path


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether a signal would not just kill a process or be ignored: the mask ``SigCgt`` of proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(mask, 16) >> (number - 1) & 1)
