"""Time-outs of clients: the usual ones, and short ones once the process ends."""

import asyncio
from types import TracebackType

_LOOK_SECONDS = 0.1


class ClientTimeouts:
    """The time-outs of one event loop, which are looked at ten times a second while there are any.

    Why: nearly all waits are over at once, and a timer of their own costs more than the rest of them.
    """

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Timeout, float | None] = {}
        self._at_most: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_ending(self) -> bool:
        """Whether ``end`` has been called."""
        return self._at_most is not None

    def wait(self, seconds: float | None) -> "Wait":
        """Wait for a client in the block of an ``async with``, which gives the time-out, to be brought forward.

        Args:
            seconds: how long; None for as long as it takes, unless the process ends.

        Raises:
            TimeoutError: it took longer.
        """
        if seconds is None or (self._at_most is not None and self._at_most < seconds):
            seconds = self._at_most
        return Wait(self, seconds)

    def begin(self, timeout: asyncio.Timeout, seconds: float | None) -> None:
        """Count from now."""
        loop = asyncio.get_running_loop()
        self._waiting[timeout] = None if seconds is None else loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(_LOOK_SECONDS, self._look)

    def leave(self, timeout: asyncio.Timeout) -> None:
        """The wait is over."""
        del self._waiting[timeout]

    def end(self, seconds: float) -> None:
        """From now on wait for so many seconds at most, also where somebody waits already."""
        self._at_most = seconds
        until = asyncio.get_running_loop().time() + seconds
        for timeout, when in self._waiting.items():
            self._waiting[timeout] = until if when is None else min(when, until)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for timeout, when in self._waiting.items():
            if when is not None and when <= now and not timeout.expired():
                timeout.reschedule(now)
        self._timer = loop.call_later(_LOOK_SECONDS, self._look) if self._waiting else None


class Wait:
    """One wait."""

    def __init__(self, timeouts: ClientTimeouts, seconds: float | None) -> None:
        self._timeouts = timeouts
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> asyncio.Timeout:
        await self._timeout.__aenter__()
        self._timeouts.begin(self._timeout, self._seconds)
        return self._timeout

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timeouts.leave(self._timeout)
        await self._timeout.__aexit__(kind, error, trace)
