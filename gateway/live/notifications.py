"""Socket of notifications: the rows of the inbox in the order of their numbers, from where the client says it stands.

The inbox is the truth: a wake-up only makes the process look there. What the client has is its own word (``since``), so
a socket that ends in between loses and repeats nothing.
"""

import asyncio
import logging
from functools import partial

from django.db import DatabaseError

from gateway.live import frames
from gateway.live.concurrency import first_to_end
from gateway.live.connection import Connection, Ended
from gateway.live.database import ask
from gateway.live.frames import Farewell, InvalidFrame, Since
from gateway.live.inboxes import FRAME_BYTES, Inboxes, last_numbers, read_after
from gateway.live.metrics import RESYNCS
from gateway.live.registry import Place
from gateway.live.unacknowledged import Unacknowledged
from kit.logs import OncePerInterval, describe

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_PAUSE_SECONDS = 1.0


class NotificationsSocket:  # pylint: disable=too-few-public-methods  # it serves
    """One open socket of notifications."""

    def __init__(self, connection: Connection, place: Place, inboxes: Inboxes) -> None:
        self._connection = connection
        self._member = place.member
        self._place = place
        self._inboxes = inboxes
        self._state = Unacknowledged()
        self._last = 0
        self._has_news = asyncio.Event()

    async def serve(self) -> None:
        """Serve until the client goes, or has to.

        Raises:
            Gone, Ended: always one of them.
        """
        with self._inboxes.watched(self._member.user, self._on_news):
            try:
                numbers = await ask(partial(last_numbers, [self._member.user]))
            except DatabaseError:
                raise Ended(Farewell.UNAVAILABLE, "The inbox cannot be read right now.", 5) from None
            self._last = max(self._last, numbers.get(self._member.user, 0))
            await self._connection.send(frames.hello(self._member.name, self._last))
            await first_to_end(self._listen(), self._tell(), self._place.wait_until_ended())

    def _on_news(self, last: int) -> None:
        self._last = max(self._last, last)
        self._has_news.set()

    async def _listen(self) -> None:
        while True:
            try:
                frame = frames.read_of_notifications(await self._connection.receive())
            except InvalidFrame as error:
                raise Ended(Farewell.MALFORMED, str(error)) from None
            if isinstance(frame, Since):
                self._state.begin(frame.id)
                self._has_news.set()
            else:
                self._state.acknowledge(frame.id)

    async def _tell(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            while (position := self._state.position) is not None and position < self._last:
                try:
                    rows = await ask(partial(read_after, self._member.user, position))
                except DatabaseError as error:
                    logger.error("notifications are late until this is mended: %s", describe(error))
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                # The client may have said meanwhile that it stands elsewhere.
                if self._state.position != position:
                    continue
                if not rows:
                    # What was there is deleted.
                    self._last = position
                    break
                await self._send(rows)

    async def _send(self, rows: list[tuple[int, bytes]]) -> None:
        frame = frames.notifications(written for _, written in rows)
        if len(frame) > 2 * FRAME_BYTES or not self._state.has_room(len(frame)):
            self._state.give_up()
            RESYNCS.inc()
            await self._connection.send(frames.resync(self._last))
            return
        self._state.sent(rows[-1][0], len(frame))
        await self._connection.send(frame)
