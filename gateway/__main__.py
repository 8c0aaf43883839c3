"""``python -m gateway`` serves; ``python -m gateway COMMAND`` runs a command (``migrate``, ``user``, ``search``…)."""

# pylint: disable=duplicate-code  # as the other services do; they share no code, so that each can be deployed alone

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType


def main(arguments: Sequence[str]) -> int:
    """Run the command line.

    Returns:
        The exit status.
    """
    if not arguments:
        # Until the server takes the signals over, there is nothing to end in order.
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGINT, _end)
    # Loading this takes most of the start, and a signal may come meanwhile.
    from gateway.serving import command_line  # pylint: disable=import-outside-toplevel

    return command_line.main(arguments)


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
