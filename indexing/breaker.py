"""Breaker that keeps a bad deployment from moving the whole topic into the dead letters."""

from collections import deque

_WINDOW = 1_000
_MIN_DEAD_LETTERS = 100


class DeadLetterBreaker:  # pylint: disable=too-few-public-methods  # one question, and a memory
    """Lets dead letters pass while they are few among the records settled last.

    A batch may send its dead letters unless, among about the last 1,000 records with this batch's, dead letters are
    more than 100 and their share is more than ``max_ratio``. A batch that may not is not counted: it is tried again,
    and passes once the cause is mended and most of it is good.

    Args:
        max_ratio: of dead letters among all; at 1 every dead letter passes.
    """

    def __init__(self, max_ratio: float = 0.5) -> None:
        self._max_ratio = max_ratio
        self._batches: deque[tuple[int, int]] = deque()
        self._dead = 0
        self._good = 0

    def admits(self, dead: int, good: int) -> bool:
        """Judge a batch of which ``dead`` records would become dead letters and ``good`` are indexed."""
        if dead:
            all_dead, all_good = self._dead + dead, self._good + good
            if all_dead > _MIN_DEAD_LETTERS and all_dead > self._max_ratio * (all_dead + all_good):
                return False
        if not dead and not good:
            return True
        self._batches.append((dead, good))
        self._dead += dead
        self._good += good
        while len(self._batches) > 1 and self._dead + self._good - sum(self._batches[0]) >= _WINDOW:
            old_dead, old_good = self._batches.popleft()
            self._dead -= old_dead
            self._good -= old_good
        return True
