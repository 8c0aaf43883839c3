"""Runs a command that is told to stop when its parent dies, so that a killed runner leaves nothing behind.

Usage: ``python -m local.tether COMMAND [ARGUMENT …]``. Linux alone knows the death signal (prctl(2), PR_SET_PDEATHSIG;
it survives execve); elsewhere the command runs untethered.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> None:
    """Become ``command``."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
