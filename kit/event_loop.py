"""Event loop of a worker process: a stop is handled once, however often the process is told.

Why: on SIGTERM granian waits without a limit for the connections that it has, and its parent repeats the signal, as a
worker that has just begun can miss one. So this loop passes the first signal on; the application gives clients three
seconds and requests their deadline, then leaves the loop. A single signal would be missed by a starting worker; a
shorter kill would cut off requests; a copy of granian's worker function is somebody else's internals.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVarTuple

import uvloop
from granian import loops
from granian.constants import Loops

_Ts = TypeVarTuple("_Ts")


class EventLoop(uvloop.Loop):
    """uvloop's event loop, which handles SIGTERM or SIGINT once; it has no other signal handlers.

    The server's own handler waits, with the interpreter's lock held, for somebody to take note of the third signal; by
    then nobody does.

    Attributes:
        on_stop: called at the first SIGTERM or SIGINT.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_stop: Callable[[], None] = lambda: None
        self._stopping = False

    def add_signal_handler(self, sig: int, callback: Callable[[*_Ts], object], *args: *_Ts) -> None:
        """Add a handler; the server's is called once, whichever signal comes."""
        super().add_signal_handler(sig, self._stop, callback, *args)

    def _stop(self, callback: Callable[[*_Ts], object], *args: *_Ts) -> None:
        if not self._stopping:
            self._stopping = True
            self.on_stop()
            callback(*args)


@loops.register(Loops.uvloop)
def _build() -> EventLoop:
    """Make a loop for the server, in the place of its own."""
    loop = EventLoop()
    asyncio.set_event_loop(loop)
    return loop
