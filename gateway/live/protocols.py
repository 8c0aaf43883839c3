"""uvicorn's protocols, within limits that it has not: of time before the upgrade, of control frames, and at the end.

Why subclasses: the server answers pings, joins fragments and closes sockets without looking at what the client takes.
A client that sends pings and reads nothing would fill the memory with pongs; empty fragments have no size and so no
limit; and a closed connection whose last bytes nobody takes would stay for as long as its peer likes.
"""

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

HANDSHAKE_SECONDS = 10.0
MAX_CONTROL_FRAMES_A_SECOND = 20
_MAX_FRAGMENTS = 64
_LINGER_SECONDS = 5.0
_POLICY_VIOLATION, _TOO_BIG = 1008, 1009


class HttpProtocol(H11Protocol):
    """A connection before its upgrade: it has ten seconds, and one request."""

    _expiry: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base narrows it
        """Give the connection its time."""
        super().connection_made(transport)
        self._expiry = self.loop.call_later(HANDSHAKE_SECONDS, transport.abort)

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Hand the connection over; nothing holds this protocol with its buffers any more."""
        self._expiry.cancel()
        super().handle_websocket_upgrade(event)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A socket whose control frames and fragments are counted, and which is dropped where its end is not taken."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._window = 0.0
        self._counted = 0

    def pause_writing(self) -> None:
        """Read nothing from a client that takes nothing: each ping would add a pong."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again, unless the application has a message yet."""
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment, within the limits."""
        if len(self.frames) >= _MAX_FRAGMENTS:
            self._fail(_TOO_BIG, "too many fragments")
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping, within the limits."""
        if self._is_within_limits():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take a pong, within the limits."""
        if self._is_within_limits():
            super().handle_pong(event)

    def keepalive_timeout(self) -> None:
        """Give up a client that does not answer pings, at once: it does not take its farewell either."""
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        """Run the application, and drop the connection if it is there a while after that."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _is_within_limits(self) -> bool:
        now = time.monotonic()
        if now - self._window >= 1.0:
            self._window, self._counted = now, 0
        self._counted += 1
        if self._counted > MAX_CONTROL_FRAMES_A_SECOND:
            self._fail(_POLICY_VIOLATION, "too many control frames")
        return self._counted <= MAX_CONTROL_FRAMES_A_SECOND

    def _fail(self, code: int, reason: str) -> None:
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()
