"""Queue of operations to try again, each after a back-off of its own."""

import heapq
import itertools
from collections.abc import Iterator
from random import Random
from typing import Generic, TypeVar

from indexing.backoff import full_jitter

T = TypeVar("T")


class RetryQueue(Generic[T]):
    """Holds things until they are due. Times are the caller's, in seconds of any steady clock.

    Args:
        random: where the jitter comes from.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        # The number keeps things that are due at once from being compared.
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, T]] = []

    def put(self, thing: T, attempt: int, now: float) -> None:
        """Keep a thing whose ``attempt``-th try has just failed."""
        heapq.heappush(self._waiting, (now + full_jitter(attempt, self._random), next(self._numbers), thing))

    def take_due(self, now: float) -> Iterator[T]:
        """Give out what is due, the earliest first."""
        while self._waiting and self._waiting[0][0] <= now:
            yield heapq.heappop(self._waiting)[2]
