"""Start of a service's process, before its modules are loaded."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import FrameType


def run(module: str, *, serves: Callable[[Sequence[str]], bool]) -> None:
    """Run a command line, and exit with its status.

    Loading the modules takes most of a start, and a signal may come meanwhile: a process that is going to serve ends
    at once then, because there is nothing to end in order.

    Args:
        module: its ``main`` takes the arguments and returns the exit status; loaded here.
        serves: whether the process serves, by its arguments.
    """
    arguments = sys.argv[1:]
    if serves(arguments):
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGINT, _end)
    sys.exit(import_module(module).main(arguments))


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)
