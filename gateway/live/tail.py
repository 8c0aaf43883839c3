"""Socket of the tail: events of the audit trail as they come, with an account of what is not shown."""

import asyncio
from collections.abc import Callable
from functools import partial

from gateway.http.problems import Unavailable
from gateway.live import frames
from gateway.live.concurrency import first_to_end
from gateway.live.connection import Connection, Ended
from gateway.live.database import ask
from gateway.live.frames import MAX_UNACKNOWLEDGED, Farewell, InvalidFrame, OpenTail, TailPart
from gateway.live.members import Member
from gateway.live.metrics import TAIL_EVENTS
from gateway.live.registry import Place
from gateway.live.trail import Ring, TailView

_BETWEEN_FRAMES_SECONDS = 0.1

RecordTail = Callable[[Member, str], None]
"""Puts on the audit trail that a tail was opened."""


class TailSocket:  # pylint: disable=too-few-public-methods,too-many-instance-attributes  # it serves; its state
    """One open socket of the tail.

    Args:
        connection: the socket.
        place: whose it is, and when it has to end.
        trail: the events.
        record: puts each opening of a tail on the trail.
    """

    def __init__(self, connection: Connection, place: Place, trail: "Trail", record: RecordTail) -> None:
        self._connection = connection
        self._member = place.member
        self._place = place
        self._trail = trail
        self._record = record
        self._view: TailView | None = None
        self._unacknowledged = 0
        self._is_paused = False
        self._may_send = asyncio.Event()
        # Two activities send: whoever opens a tail, and the tail.
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Serve until the client goes, or has to.

        Raises:
            Gone, Ended: always one of them.
        """
        await self._connection.send(frames.hello(self._member.name, None))
        await first_to_end(self._listen(), self._tell(), self._place.wait_until_ended())

    async def _listen(self) -> None:
        while True:
            try:
                frame = frames.read_of_tail(await self._connection.receive())
            except InvalidFrame as error:
                raise Ended(Farewell.MALFORMED, str(error)) from None
            if isinstance(frame, OpenTail):
                await self._open(frame)
            else:
                self._unacknowledged = max(0, self._unacknowledged - frame.frames)
                self._is_paused = frame.frames == 0
            if self._unacknowledged < MAX_UNACKNOWLEDGED and not self._is_paused:
                self._may_send.set()
            else:
                self._may_send.clear()

    async def _open(self, wanted: OpenTail) -> None:
        try:
            await ask(partial(self._record, self._member, wanted.filter.query()))
        except Unavailable as error:
            raise Ended(Farewell.UNAVAILABLE, error.detail, 5) from None
        if not self._trail.ring.positions:
            raise Ended(Farewell.UNAVAILABLE, "The audit trail cannot be read right now.", 5)
        async with self._sending:
            self._view = TailView(self._trail.ring, wanted.filter, wanted.begin)
            self._is_paused = False
            # Where it begins, so that the account has a beginning.
            await self._send(self._view, TailPart(), opened=True)
        self._trail.changed()

    async def _tell(self) -> None:
        while True:
            await self._may_send.wait()
            async with self._sending:
                view = self._view
                part = TailPart() if view is None else view.take()
                if view is not None and view.generation != self._trail.ring.generation:
                    raise Ended(Farewell.RESTART, "The topic of the audit trail has begun anew.", 0)
                if view is not None and not part.is_empty:
                    await self._send(view, part)
            if view is None or not view.is_behind:
                await self._trail.wait()
            await asyncio.sleep(_BETWEEN_FRAMES_SECONDS)

    async def _send(self, view: TailView, part: TailPart, *, opened: bool = False) -> None:
        self._unacknowledged += 1
        if self._unacknowledged >= MAX_UNACKNOWLEDGED:
            self._may_send.clear()
        TAIL_EVENTS.labels("shown").inc(len(part.events))
        TAIL_EVENTS.labels("filtered").inc(part.filtered)
        TAIL_EVENTS.labels("left_out").inc(part.left_out)
        await self._connection.send(frames.tail(part, view.at, opened=opened))


class Trail:
    """The ring of events in the event loop, and those who wait for more of them."""

    def __init__(self) -> None:
        self.ring = Ring()
        self._more = asyncio.Event()

    async def wait(self) -> None:
        """Wait until there is more than there was."""
        await self._more.wait()

    def changed(self) -> None:
        """Tell those who wait that there is more."""
        self._more.set()
        self._more = asyncio.Event()
