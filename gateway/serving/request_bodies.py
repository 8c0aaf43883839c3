"""Reader of request bodies in the event loop, with limits by number, time and client address.

Why: one address could fill the room with bodies that never come, and many honest clients can share an address. A body
that takes over a second is slow; an address may take a quarter of the room with slow ones and half with all. Without
the half, an address that reconnects all the time refused 178 of 187 requests of another; with a quarter of all, four
honest clients in a burst were refused. Beyond either the answer is 429. The edge's buffering does not help where the
gateway is reached without it.
"""

import asyncio
import io
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings

from gateway.http.client_timeouts import ClientTimeouts
from gateway.http.problems import RETRY_AFTER_SECONDS, Code, Problem, Unavailable, malformed
from gateway.serving.bulkheads import Full, leave
from gateway.serving.metrics import BODIES_INSIDE

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


_SLOW_SECONDS = 1.0
"""A body that has not come by then counts as a slow one."""


@dataclass(slots=True)
class _Reading:
    address: str
    is_slow: bool = False
    is_refused: bool = False


class RequestBodies:  # pylint: disable=too-few-public-methods  # it does one thing
    """The bodies that are being read, with a limit of size, of time, of all at once, and of one address's.

    That may have half of the room, since quick ones come in numbers where many clients are behind it, and a quarter of
    the room for slow ones.
    """

    def __init__(self, timeouts: ClientTimeouts) -> None:
        self._timeouts = timeouts
        self._inside: Counter[str] = Counter()
        self._slow: Counter[str] = Counter()

    async def read(self, address: str, receive: Receive, limit: int) -> tuple[bytearray, bool]:
        """Collect a body until it ends, or is larger than any that is taken.

        Args:
            address: whose it is.
            receive: gives the next part.
            limit: how many bytes are taken; of a longer one, some more than so many are read.

        Returns:
            what came, and whether that is all.

        Raises:
            Full: as many bodies are being read as may be, or the process ends.
            Problem: 429, this address has its share of the room, or the body is slow, and its slow ones have theirs.
        """
        if self._inside[address] >= max(1, settings.GATEWAY.bodies // 2):
            raise _too_many("")
        if self._inside.total() >= settings.GATEWAY.bodies:
            raise Full
        self._inside[address] += 1
        reading, body = _Reading(address), bytearray()
        try:
            with BODIES_INSIDE.track_inprogress():
                async with self._timeouts.wait(settings.GATEWAY.body_timeout) as timeout:
                    slow = asyncio.get_running_loop().call_later(_SLOW_SECONDS, self._count_slow, reading, timeout)
                    try:
                        return body, await _read(receive, body, limit)
                    finally:
                        slow.cancel()
        except TimeoutError:
            if reading.is_refused:
                raise _too_many("slow ") from None
            if self._timeouts.is_ending:
                raise Full from None
            return body, False
        finally:
            leave(self._inside, address)
            if reading.is_slow:
                leave(self._slow, address)

    def _count_slow(self, reading: _Reading, timeout: asyncio.Timeout) -> None:
        if self._slow[reading.address] < max(1, settings.GATEWAY.bodies // 4):
            self._slow[reading.address] += 1
            reading.is_slow = True
        elif not timeout.expired():
            reading.is_refused = True
            timeout.reschedule(0)


class StreamedBody(io.RawIOBase):
    """A body that is read part by part, from another thread than the event loop's.

    Args:
        loop: of the server.
        timeouts: of the process.
        receive: gives the next part.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, timeouts: ClientTimeouts, receive: Receive) -> None:
        super().__init__()
        self._loop = loop
        self._timeouts = timeouts
        self._receive = receive
        self._rest = memoryview(b"")
        self._more = True

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes, as many as have come and there is room for; none at the end.

        Raises:
            Problem: 400, the client hangs up, or sends no more within ``GATEWAY_BODY_TIMEOUT``.
            Unavailable: the process ends.
        """
        while not self._rest and self._more:
            part, self._more = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            self._rest = memoryview(part)
        length = min(len(buffer), len(self._rest))
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        return length

    async def _next(self) -> tuple[bytes, bool]:
        try:
            async with self._timeouts.wait(settings.GATEWAY.body_timeout):
                message = await self._receive()
        except TimeoutError:
            if self._timeouts.is_ending:
                raise Unavailable(Code.OVERLOADED, "The gateway is stopping; send the rest to another.") from None
            seconds = settings.GATEWAY.body_timeout
            raise malformed(f"The body is not whole: nothing more of it came within {seconds:g} s.") from None
        if message["type"] != "http.request":
            raise malformed("The body is not whole: it ended early.")
        return message.get("body", b""), message.get("more_body", False)


def _too_many(kind: str) -> Problem:
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        Code.THROTTLED,
        f"Your address is sending as many {kind}request bodies as one may; wait for one to end.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


async def _read(receive: Receive, body: bytearray, limit: int) -> bool:
    """Whether the body came whole; False if the client hung up before its end."""
    more = True
    while more and len(body) <= limit:
        message = await receive()
        if message["type"] != "http.request":
            return False
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return True
