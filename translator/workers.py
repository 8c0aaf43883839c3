"""Threads for the queries that take long, so that the event loop answers short ones meanwhile."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

THREADS = 2
"""More would only share one interpreter's time among more of them."""
MAX_WAITING = 256
"""More than the threads of a few gateways; what comes beyond that is refused."""

_T = TypeVar("_T")


class TooManyWait(Exception):
    """Full queue for a thread."""


class Workers:
    """Two threads; of all that wait for one, the shortest goes first, so that long ones hold up no others."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="query")
        self._free = THREADS
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    async def run(self, length: int, work: Callable[[], _T]) -> _T:
        """Do the work in a thread.

        Args:
            length: of the text that the work is on.
            work: takes longer than the event loop may.

        Raises:
            TooManyWait: there is no room to wait.
        """
        await self._turn(length)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._release()

    async def _turn(self, length: int) -> None:
        if self._free:
            self._free -= 1
            return
        if len(self._waiting) >= MAX_WAITING:
            raise TooManyWait
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (length, next(self._numbers), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # It had its turn already, which is another's now.
                self._release()
            raise

    def _release(self) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[-1]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
