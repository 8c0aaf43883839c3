"""Inboxes of the users behind open sockets, looked at when somebody says so, and every few seconds in any case.

One question asks for all users that were named meanwhile, so a thousand sockets cost what one does.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import orjson
from django.db import DatabaseError

from gateway.live.database import ask
from gateway.notify.models import Inbox, Notification
from kit.logs import OncePerInterval, describe

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

LOOK_SECONDS = 15.0
_PAUSE_SECONDS = 1.0
PAGE = 25
FRAME_BYTES = 32 * 1024
"""Of the notifications of a frame, unless one alone is longer."""

OnNews = Callable[[int], object]
"""Takes the number of the newest notification."""


class Inboxes:
    """Looks into inboxes; used in the event loop."""

    def __init__(self) -> None:
        self._watchers: dict[int, set[OnNews]] = defaultdict(set)
        self._woken: set[int] = set()
        self._some = asyncio.Event()

    @contextmanager
    def watched(self, user: int, on_news: OnNews) -> Iterator[None]:
        """Tell of a user's inbox, as long as the block lasts."""
        self._watchers[user].add(on_news)
        try:
            yield
        finally:
            self._watchers[user].discard(on_news)
            if not self._watchers[user]:
                del self._watchers[user]

    def wake(self, users: Iterable[int]) -> None:
        """Look into the inboxes of those of these users who have a socket here."""
        self._woken.update(self._watchers.keys() & set(users))
        if self._woken:
            self._some.set()

    async def run(self) -> None:
        """Look into inboxes, without end."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._some.wait()
                users = list(self._woken)
            except TimeoutError:
                users = list(self._watchers)
            self._woken.clear()
            self._some.clear()
            try:
                numbers = await ask(partial(last_numbers, users)) if users else {}
            except DatabaseError as error:
                logger.error("inboxes are not looked into until this is mended: %s", describe(error))
                await asyncio.sleep(_PAUSE_SECONDS)
                self.wake(users)
                continue
            for user, number in numbers.items():
                for on_news in list(self._watchers.get(user, ())):
                    on_news(number)


def last_numbers(users: Iterable[int]) -> dict[int, int]:
    """The numbers of the newest notifications, by user; none for an empty inbox."""
    return dict(Inbox.objects.filter(pk__in=list(users)).values_list("pk", "last_number"))


def read_after(user: int, number: int) -> list[tuple[int, bytes]]:
    """A user's notifications after a number, as ``GET /notifications`` has them, written as JSON: a frame's worth.

    At least one, however long it is. No more than that is kept for a client, which may take nothing.
    """
    rows = Notification.objects.filter(recipient=user, number__gt=number).order_by("number")
    # Of who did it, the name alone: this process may read no more of a user.
    found = rows.values_list("number", "kind", "at", "actor__username", "data", "read_at")[:PAGE]
    written: list[tuple[int, bytes]] = []
    size = 0
    for row_number, kind, at, actor, data, read_at in found:
        item = {"number": row_number, "kind": kind, "at": at, "actor": actor, "data": data, "read": read_at is not None}
        written.append((row_number or 0, orjson.dumps(item)))
        size += len(written[-1][1])
        if size > FRAME_BYTES and len(written) > 1:
            return written[:-1]
    return written
