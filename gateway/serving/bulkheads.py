"""Bulkheads: each has threads of its own and a bounded queue before them, so that none can starve another.

Why a turn for each address: in one queue the request of somebody else stands behind all that an address has sent.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from gateway.serving.metrics import REQUESTS_INSIDE

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


class Full(Exception):
    """The queue is full, or the place has its share of it."""


def leave(inside: Counter[str], place: str) -> None:
    """Count one less of a place, of which nothing is kept once it has none."""
    inside[place] -= 1
    if not inside[place]:
        del inside[place]


class Bulkhead:  # pylint: disable=too-few-public-methods  # it does one thing
    """Runs work that blocks, the places that wait taking turns; to be used from one event loop.

    Args:
        name: its label in the metrics.
        threads: how much may be in work at once.
        queue: how much may wait for a thread.
        share: how much of both one place may have; all of it if None.
    """

    def __init__(self, name: str, threads: int, queue: int, share: int | None = None) -> None:
        self._room = threads + queue
        self._share = self._room if share is None else share
        self._inside: Counter[str] = Counter()
        self._free = threads
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._gauge = REQUESTS_INSIDE.labels(name)
        self._executor = ThreadPoolExecutor(threads)

    @property
    def inside(self) -> int:
        """Number of calls in work or waiting."""
        return self._inside.total()

    async def run(
        self, place: str, work: Callable[_Arguments, _Answer], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Answer:
        """Wait for a thread, and for the work to be done in it, in the context of the caller.

        Args:
            place: where the request comes from.
            work: what to call with the other arguments.

        Raises:
            Full: at once.
        """
        if self.inside >= self._room or self._inside[place] >= self._share:
            raise Full
        self._inside[place] += 1
        self._gauge.inc()
        try:
            await self._turn(place)
            try:
                call = partial(work, *args, **kwargs)
                return await asyncio.wrap_future(self._executor.submit(copy_context().run, call))
            finally:
                self._pass_on()
        finally:
            self._gauge.dec()
            leave(self._inside, place)

    async def _turn(self, place: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(place, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the thread was given to it in the same round of the event loop
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the thread to the place that has waited longest for its turn."""
        while self._waiting:
            place, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[place] = turns
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._free += 1
