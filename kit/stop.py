"""Stop of a serving process by SIGTERM or SIGINT, in order and within a time."""

import logging
import os
import signal
import threading
from types import FrameType

logger = logging.getLogger(__name__)

_FAILED = 1


def stop_on_signals(stopping: threading.Event, within: float) -> None:
    """Set an event at the first signal; a watchdog ends a process that hangs after that, with exit status 1.

    Args:
        stopping: what the process looks at.
        within: seconds that it may take to stop.
    """

    def give_up() -> None:
        logger.error("still not stopped after %.0f s: ending at once; what is not committed is read again", within)
        os._exit(_FAILED)

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not stopping.is_set():
            stopping.set()
            watchdog = threading.Timer(within, give_up)
            watchdog.daemon = True
            watchdog.start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
