"""Registry of open sockets: how many there may be, and which of them have to end."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from django.db import DatabaseError

from gateway.http.problems import Code, Problem, Unavailable
from gateway.live.connection import Ended
from gateway.live.database import ask
from gateway.live.frames import Farewell
from gateway.live.members import Member, Standing
from gateway.live.metrics import SOCKETS
from kit.logs import OncePerInterval, describe

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_Key = TypeVar("_Key")

MAX_OF_USER = 8
MAX_OF_ADDRESS = 1_024
MAX_SOCKETS = 4_096
LIFE_SECONDS = 3600.0
"""After that a client has to come in again: a session can end by its time, of which no row tells."""
_CHECK_SECONDS = 5.0
_UNCHECKED_SECONDS = 15.0
"""For so long a socket lives without anybody knowing whether it may."""


@dataclass(eq=False, slots=True)
class Place:
    """Place of an open socket; ``ended`` is set once the server ends it."""

    member: Member
    ended: "asyncio.Future[Ended]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def wait_until_ended(self) -> None:
        """Wait until the server ends the socket.

        Raises:
            Ended: always.
        """
        raise await self.ended

    def end(self, why: Ended) -> None:
        """End the socket, unless it is ending already."""
        if not self.ended.done():
            self.ended.set_result(why)


class Registry:
    """The open sockets of this process; used in the event loop."""

    def __init__(self) -> None:
        self._places: set[Place] = set()
        self._of_user: Counter[int] = Counter()
        self._of_address: Counter[str] = Counter()
        self._stopping: Ended | None = None
        self._checked = time.monotonic()

    @contextmanager
    def place(self, member: Member) -> Iterator[Place]:
        """Take a place for a socket, as long as the block lasts.

        Raises:
            Problem: there is no room; 429 where the user or the address has as many as it may.
        """
        self._require_room(member)
        place = Place(member)
        self._places.add(place)
        self._of_user[member.user] += 1
        self._of_address[member.address] += 1
        SOCKETS.labels(member.kind).inc()
        expiry = asyncio.get_running_loop().call_later(
            LIFE_SECONDS, place.end, Ended(Farewell.RESTART, "An hour is over; come in again.", 0)
        )
        try:
            yield place
        finally:
            expiry.cancel()
            SOCKETS.labels(member.kind).dec()
            self._places.discard(place)
            _take(self._of_user, member.user)
            _take(self._of_address, member.address)

    def stop(self) -> None:
        """End all sockets, and take no more."""
        self._stopping = Ended(Farewell.RESTART, "The process ends; come again.", 1)
        for place in self._places:
            place.end(self._stopping)

    async def check(self) -> None:
        """Look again and again whether all members may go on, and end the sockets of those who may not."""
        while True:
            asked = time.monotonic()
            places = list(self._places)
            try:
                if places:
                    standing = await ask(partial(Standing.read, [place.member for place in places]))
                    self._end(places, standing)
                self._checked = asked
            except DatabaseError as error:
                logger.error("whether sockets may go on is not known until this is mended: %s", describe(error))
                if asked - self._checked > _UNCHECKED_SECONDS:
                    unknown = Ended(Farewell.UNAVAILABLE, "The user database cannot be read right now.", 5)
                    for place in self._places:
                        place.end(unknown)
            await asyncio.sleep(_CHECK_SECONDS)

    @staticmethod
    def _end(places: list[Place], standing: Standing) -> None:
        for place in places:
            why = standing.reason_to_end(place.member)
            if why is not None:
                place.end(why)

    def _require_room(self, member: Member) -> None:
        if self._stopping is not None or len(self._places) >= MAX_SOCKETS:
            raise Unavailable(Code.OVERLOADED, "There is no room for another socket here; try again.")
        if self._of_user[member.user] >= MAX_OF_USER:
            raise _too_many(f"You have {MAX_OF_USER} sockets")
        if self._of_address[member.address] >= MAX_OF_ADDRESS:
            raise _too_many(f"Your address has {MAX_OF_ADDRESS:,} sockets")


def _take(counter: "Counter[_Key]", key: _Key) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


def _too_many(who: str) -> Problem:
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        Code.THROTTLED,
        f"{who} open, which is as many as there may be; close one.",
        headers={"Retry-After": "5"},
    )
