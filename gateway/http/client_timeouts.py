"""How long clients are waited for: as long as is usual, and a moment once the process ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ClientTimeouts:
    """The time-outs of one event loop."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Timeout] = set()
        self._at_most: float | None = None

    @property
    def is_ending(self) -> bool:
        """Whether ``end`` has been called."""
        return self._at_most is not None

    @asynccontextmanager
    async def wait(self, seconds: float | None) -> AsyncIterator[asyncio.Timeout]:
        """Wait for a client in here.

        Args:
            seconds: how long; None for as long as it takes, unless the process ends.

        Yields:
            the time-out, which can be brought forward.

        Raises:
            TimeoutError: it took longer.
        """
        if seconds is None or (self._at_most is not None and self._at_most < seconds):
            seconds = self._at_most
        async with asyncio.timeout(seconds) as timeout:
            self._waiting.add(timeout)
            try:
                yield timeout
            finally:
                self._waiting.remove(timeout)

    def end(self, seconds: float) -> None:
        """From now on wait for so many seconds at most, also where somebody waits already."""
        self._at_most = seconds
        until = asyncio.get_running_loop().time() + seconds
        for timeout in self._waiting:
            when = timeout.when()
            if not timeout.expired() and (when is None or until < when):
                timeout.reschedule(until)
