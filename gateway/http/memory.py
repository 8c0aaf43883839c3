"""The memory of a worker: one budget for every long body and answer, taken before it is there, by its length.

Short bodies and answers are not counted; the threads limit how much of them there can be.

Why the client that has taken its answer longest is given up for others: a client that takes 64 KiB every half minute is
not stalled, and sixty of them held 2.4 GB. A lowest rate or a time limit would hit honest phones and still allow the
flood; refusing the newest lets the slow keep everybody out; a flood's addresses are many.
"""

import asyncio
import ctypes
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from enum import Enum, auto

from gateway.http.client_timeouts import ClientTimeouts
from gateway.http.metrics import MEMORY_BYTES
from gateway.http.problems import Code, Unavailable

BUDGET_BYTES = 128 * 1024 * 1024
"""A worker's; with what it needs besides, and its parent, it is in the container's 512 MiB."""

_WAIT_SECONDS = 2.0
_MAX_WAITING = 8
"""Requests that may wait for memory, each with a thread; the other threads stay free."""
_TAKING_SECONDS = 1.0
"""A client that has been taking its answer for so long is given up where others wait for memory."""


_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_MAPPED_BYTES = 256 * 1024
_ARENAS = 2


def keep_little_free_memory() -> None:
    """Have glibc give long blocks back to the system when they are freed, and share what it keeps between threads.

    By itself it keeps blocks of up to 32 MiB once one of that length has been freed, in up to eight arenas a core. The
    threads fill these one after the other (mallopt(3)). Threads that take turns at the interpreter's lock gain nothing
    by arenas of their own: fourteen hundreds of hostile requests left a worker with 361 MiB, and 176 MiB with two.
    Other C libraries have no such options. To be called before the process has threads.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
        mallopt(_M_ARENA_MAX, _ARENAS)


class Part(Enum):
    """Purpose that a request takes memory for."""

    RECEIVED = auto()
    BODY = auto()
    TRANSLATION = auto()
    ANSWER = auto()


class Memory:
    """The budget, to be used from one event loop and from its threads."""

    def __init__(self, timeouts: ClientTimeouts) -> None:
        self._timeouts = timeouts
        self._free = BUDGET_BYTES
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taking: dict[asyncio.Timeout, tuple[float, Share]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """Share of one request, given back after the block."""
        share = Share(self)
        try:
            yield share
        finally:
            share.clear()

    @asynccontextmanager
    async def taking(self, share: "Share", length: int) -> AsyncIterator[None]:
        """Let a client take its answer in here, as long as it takes.

        Where there is no room for one more, the client that has been taking its answer the longest is given up.

        Args:
            share: of the request; it is left with the answer alone.
            length: of the answer, in bytes.

        Raises:
            TimeoutError: this client is given up, or the process ends.
        """
        self._loop = asyncio.get_running_loop()
        async with self._timeouts.wait(None) as timeout:
            self._taking[timeout] = time.monotonic(), share
            share.leave(length)
            for oldest in list(self._taking):
                if self._free >= 0 or oldest is timeout:
                    break
                self._give_up(oldest)
            try:
                yield
            finally:
                self._taking.pop(timeout, None)
                share.clear()

    def try_take(self, length: int) -> bool:
        """Take so many bytes if they are there, without waiting."""
        with self._changed:
            if self._waiting or length > self._free:
                return False
            self.give(-length)
            return True

    def take(self, length: int) -> None:
        """Take so many bytes, waiting for them if there are not so many.

        Raises:
            Unavailable: they have not become free in time, or enough others wait.
        """
        until = time.monotonic() + _WAIT_SECONDS
        turn = object()
        with self._changed:
            if len(self._waiting) >= _MAX_WAITING:
                raise memory_is_full()
            self._waiting.append(turn)
            try:
                while self._waiting[0] is not turn or length > self._free:
                    self._make_room()
                    left = until - time.monotonic()
                    if left <= 0:
                        raise memory_is_full()
                    self._changed.wait(min(left, _TAKING_SECONDS / 4))
                self.give(-length)
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()

    def give(self, length: int) -> None:
        """Give so many bytes back; a negative number takes them, whether they are there or not."""
        with self._changed:
            self._free += length
            MEMORY_BYTES.dec(length)
            self._changed.notify_all()

    def _make_room(self) -> None:
        if self._loop is not None and self._taking:
            self._loop.call_soon_threadsafe(self._give_up_slowest)

    def _give_up_slowest(self) -> None:
        for oldest, (began, _) in self._taking.items():
            if time.monotonic() - began > _TAKING_SECONDS:
                self._give_up(oldest)
            break

    def _give_up(self, timeout: asyncio.Timeout) -> None:
        _, share = self._taking.pop(timeout)
        timeout.reschedule(0)
        share.clear()


class Share:
    """Share of the memory that one request has."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._parts: dict[Part, int] = {}

    def try_claim(self, part: Part, length: int) -> bool:
        """Have so many bytes for a part that has none, if they are there."""
        if not self._memory.try_take(length):
            return False
        self._parts[part] = length
        return True

    def claim(self, part: Part, length: int) -> None:
        """Have so many bytes for a part, instead of those that it has.

        Raises:
            Unavailable: the memory is full.
        """
        more = length - self._parts.get(part, 0)
        if more > 0:
            self._memory.take(more)
        elif more < 0:
            self._memory.give(-more)
        else:
            return
        self._parts[part] = length

    def has(self, part: Part) -> bool:
        """Whether there are bytes for a part."""
        return part in self._parts

    def leave(self, length: int) -> None:
        """Have so many bytes for the answer alone."""
        self._memory.give(sum(self._parts.values()) - length)
        self._parts = {Part.ANSWER: length}

    def clear(self) -> None:
        """Give everything back."""
        if self._parts:
            self._memory.give(sum(self._parts.values()))
            self._parts = {}


_share: ContextVar[Share | None] = ContextVar("share", default=None)


@contextmanager
def used_by(share: Share) -> Iterator[None]:
    """Let ``claim`` in here, in this context, be that of a request."""
    token = _share.set(share)
    try:
        yield
    finally:
        _share.reset(token)


def claim(part: Part, length: int) -> None:
    """Claim memory for the request that is worked on, by ``Share.claim``; a command, alone in its process, claims none.

    Raises:
        Unavailable: the memory is full.
    """
    share = _share.get()
    if share is not None:
        share.claim(part, length)


def memory_is_full() -> Unavailable:
    """Problem of a request for which no memory is left now."""
    return Unavailable(Code.OVERLOADED, "The gateway has no memory for more long requests and answers; try again.")
