"""Rate limits: budgets by user, by address or by another key.

They are counted by a sliding window counter, which keeps two numbers a key: in Redis where there is one, by the
``limits`` library, so that all workers and replicas share the budgets, else in the memory of the process. While Redis
is down each process counts by itself, because a missing counter is no reason to turn everybody away.

Why not the library's memory: to forget what has expired it starts up to a hundred threads a second.
"""

import logging
import math
import threading
import time
from collections import defaultdict
from functools import cache

from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # comes without types
from django.conf import settings
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from pydantic import SecretStr

from gateway.http.per_process import PerProcess

logger = logging.getLogger(__name__)

MAX_KEYS = 10_000
"""Counters that a process keeps for one budget. With more it begins anew: who has that many addresses is not to be held
up by counting, and may not fill the memory either."""

_REDIS_SECONDS = 0.2
_REDIS_PAUSE_SECONDS = 5

_item = cache(parse)


class Windows:
    """Counters of one budget, in the memory of this process; one thread at a time may use them."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, int, int]] = {}
        """By key: the number of the last window in which something was taken, what was taken in it, and in the one
        before it."""

    def __len__(self) -> int:
        return len(self._counts)

    def ask(self, item: RateLimitItem, key: str, take: int) -> int:
        """Look whether there is one left, and take so many; returns what ``hit`` does."""
        length = item.get_expiry()
        number, passed = divmod(time.monotonic(), length)
        window, now, before = self._counts.get(key, (0, 0, 0))
        if window != number:
            now, before = 0, now if window == number - 1 else 0
        left = length - passed
        # As if what was taken in the window before had been taken evenly (as ``limits`` counts).
        if math.floor(before * left / length + now) >= item.amount:
            return max(1, math.ceil(min(left, left % (length / before) if before else left)))
        if take:
            if key not in self._counts and len(self._counts) >= MAX_KEYS:
                self._forget(int(number))
            self._counts[key] = int(number), now + take, before
        return 0

    def _forget(self, number: int) -> None:
        """Forget what is over; and everything, if that is not much."""
        self._counts = {key: counts for key, counts in self._counts.items() if counts[0] >= number - 1}
        if len(self._counts) > MAX_KEYS // 2:
            self._counts.clear()


memory: defaultdict[str, Windows] = defaultdict(Windows)
"""The counters of this process, by budget."""
_lock = threading.Lock()


def hit(budget: str, rate: str, key: str) -> int:
    """Take one from a budget.

    Args:
        budget: its name; each budget has counters of its own.
        rate: how many in how long, such as "600/minute".
        key: whose; it is kept for a while, so it must be of bounded length.

    Returns:
        0 if there was one left, else after how many seconds, at least 1, there may be one again.
    """
    return _ask(budget, rate, key, 1)


def test(budget: str, rate: str, key: str) -> int:
    """Look whether a budget has one left, and leave it there; takes and returns what ``hit`` does."""
    return _ask(budget, rate, key, 0)


def _ask(budget: str, rate: str, key: str, take: int) -> int:
    if settings.GATEWAY.redis_url is not None:
        limiter, breaker = _in_redis()
        try:
            if not breaker.opened:
                with breaker:
                    return _ask_redis(limiter, _item(rate), budget, key, take)
        except limiter.storage.base_exceptions as error:
            if breaker.failure_count == 1:
                logger.warning("Redis fails (%s): each process counts by itself meanwhile", error.__class__.__name__)
    with _lock:
        return memory[budget].ask(_item(rate), key, take)


def _ask_redis(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # a question has as many
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, budget: str, key: str, take: int
) -> int:
    if take and limiter.hit(item, budget, key):
        return 0
    window = limiter.get_window_stats(item, budget, key)
    if not take and window.remaining > 0:
        return 0
    return max(1, math.ceil(window.reset_time - time.time()))


def _connect(url: SecretStr) -> tuple[SlidingWindowCounterRateLimiter, CircuitBreaker]:
    """The counters in Redis, and what keeps away from a Redis that is down."""
    # It loads so much that a gateway without Redis would start noticeably later.
    from redis.backoff import NoBackoff  # pylint: disable=import-outside-toplevel
    from redis.retry import Retry  # pylint: disable=import-outside-toplevel

    storage = RedisStorage(
        url.get_secret_value(),
        key_prefix="sluice",
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed on to redis as it is
    )
    breaker = CircuitBreaker(1, _REDIS_PAUSE_SECONDS, storage.base_exceptions, "redis")
    return SlidingWindowCounterRateLimiter(storage), breaker


_in_redis = PerProcess(_connect, lambda: (settings.GATEWAY.redis_url,))
