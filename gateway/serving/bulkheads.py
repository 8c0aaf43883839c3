"""Bulkheads: each has threads of its own and a bounded queue before them, so that none can starve another."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from gateway.http.metrics import REQUESTS_INSIDE

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


class Full(Exception):
    """The queue is full."""


class Bulkhead:  # pylint: disable=too-few-public-methods  # it does one thing
    """Runs work that blocks; to be used from one event loop.

    Args:
        name: its label in the metrics.
        threads: how much may be in work at once.
        queue: how much may wait for a thread.
    """

    def __init__(self, name: str, threads: int, queue: int) -> None:
        self.inside = 0
        self._room = threads + queue
        self._gauge = REQUESTS_INSIDE.labels(name)
        self._executor = ThreadPoolExecutor(threads)

    async def run(
        self, work: Callable[_Arguments, _Answer], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Answer:
        """Wait for a thread, and for the work to be done in it, in the context of the caller.

        Raises:
            Full: at once.
        """
        if self.inside >= self._room:
            raise Full
        self.inside += 1
        self._gauge.inc()
        try:
            return await asyncio.wrap_future(self._executor.submit(copy_context().run, partial(work, *args, **kwargs)))
        finally:
            self.inside -= 1
            self._gauge.dec()


class Places:  # pylint: disable=too-few-public-methods  # it does one thing
    """Counts of requests by place; for one event loop.

    Args:
        share: how many one may have.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._inside: Counter[str] = Counter()

    @contextmanager
    def inside(self, place: str) -> Iterator[None]:
        """Count a request of a place in here.

        Raises:
            Full: the place has its share.
        """
        if self._inside.get(place, 0) >= self._share:
            raise Full
        self._inside[place] += 1
        try:
            yield
        finally:
            self._inside[place] -= 1
            if not self._inside[place]:
                del self._inside[place]
