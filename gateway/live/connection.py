"""One socket as an ASGI server has it: frames in, within their limits, and frames out, within their time."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from gateway.live.frames import Farewell, bye

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SUBPROTOCOL = "sluice.v1"
SEND_SECONDS = 10.0
MAX_FRAMES_A_SECOND = 10
_BYE_SECONDS = 2.0
_POLICY_VIOLATION, _SERVICE_RESTART, _TRY_AGAIN_LATER = 1008, 1012, 1013
"""Close codes of RFC 6455, section 7.4, and its registry."""
_CLOSE_CODES = {Farewell.RESTART: _SERVICE_RESTART, Farewell.UNAVAILABLE: _TRY_AGAIN_LATER}


class Gone(Exception):
    """The client has ended the socket, or its connection."""


class Ended(Exception):
    """The server ends the socket.

    Args:
        farewell: why.
        detail: for people.
        retry_after: seconds after which the client may come again; None if that is in vain.
    """

    def __init__(self, farewell: Farewell, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.farewell = farewell
        self.detail = detail
        self.retry_after = retry_after


class Connection:
    """An open socket."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._received: deque[float] = deque(maxlen=MAX_FRAMES_A_SECOND)

    async def accept(self) -> None:
        """Upgrade the connection."""
        await self._send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})

    async def receive(self) -> str:
        """The next frame of the client.

        Raises:
            Gone: the client has gone.
            Ended: it is no text, or there are too many.
        """
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise Gone
        text: str | None = message.get("text")
        if text is None:
            raise Ended(Farewell.MALFORMED, "Frames are JSON texts; this one is binary.")
        now = time.monotonic()
        if len(self._received) == MAX_FRAMES_A_SECOND and now - self._received[0] < 1.0:
            raise Ended(
                Farewell.THROTTLED, f"A socket takes {MAX_FRAMES_A_SECOND} frames a second, and this is one more.", 5
            )
        self._received.append(now)
        return text

    async def send(self, frame: bytes) -> None:
        """Send a frame, once the client has taken enough of those before.

        Raises:
            Gone: there is nobody any more.
            Ended: the client has taken nothing for ``SEND_SECONDS``.
        """
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._send({"type": "websocket.send", "text": frame.decode()})
        except TimeoutError:
            raise Ended(
                Farewell.SLOW, f"The client has taken nothing for {SEND_SECONDS:.0f} seconds.", retry_after=1
            ) from None
        except OSError:
            raise Gone from None

    async def end(self, why: Ended) -> None:
        """Say farewell and close; the connection is dropped where the client does not take that."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_BYE_SECONDS):
                farewell = bye(why.farewell, why.detail, why.retry_after)
                await self._send({"type": "websocket.send", "text": farewell.decode()})
                code = _CLOSE_CODES.get(why.farewell, _POLICY_VIOLATION)
                await self._send({"type": "websocket.close", "code": code, "reason": why.farewell})
