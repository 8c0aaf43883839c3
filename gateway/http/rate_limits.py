"""Budgets: how often something may happen, by user, by address or by whatever else a key names.

The ``limits`` library counts, by its sliding window counter, which keeps two numbers a key: in Redis where there is
one, so that all workers and replicas share the budgets, else in the memory of the process. While Redis is down each
process counts by itself, because a missing counter is no reason to turn everybody away.
"""

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import cache

from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # comes without types
from django.conf import settings
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

logger = logging.getLogger(__name__)

MAX_KEYS = 10_000
"""Counters that a process keeps for one budget. With more it begins anew: who has that many addresses is not to be held
up by counting, and may not fill the memory either."""

_REDIS_SECONDS = 0.2
_REDIS_PAUSE_SECONDS = 5

_item = cache(parse)
memory: defaultdict[str, MemoryStorage] = defaultdict(MemoryStorage)
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
    return _ask(_hit, budget, rate, key)


def test(budget: str, rate: str, key: str) -> int:
    """Look whether a budget has one left, and leave it there; takes and returns what ``hit`` does."""
    return _ask(_test, budget, rate, key)


def _hit(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, *key: str) -> int:
    return 0 if limiter.hit(item, *key) else max(1, _test(limiter, item, *key))


def _test(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, *key: str) -> int:
    window = limiter.get_window_stats(item, *key)
    return 0 if window.remaining > 0 else max(1, math.ceil(window.reset_time - time.time()))


def _ask(question: Callable[..., int], budget: str, rate: str, key: str) -> int:
    url = settings.GATEWAY.redis_url
    if url is not None:
        limiter, breaker = _shared(url.get_secret_value())
        try:
            if not breaker.opened:
                with breaker:
                    return question(limiter, _item(rate), budget, key)
        except limiter.storage.base_exceptions as error:
            if breaker.failure_count == 1:
                logger.warning("Redis fails (%s): each process counts by itself meanwhile", error.__class__.__name__)
    # The library's own locks let a few too many through where several threads take the first one.
    with _lock:
        storage = memory[budget]
        if len(storage.storage) > MAX_KEYS:
            storage.reset()
        return question(SlidingWindowCounterRateLimiter(storage), _item(rate), budget, key)


@cache
def _shared(url: str) -> tuple[SlidingWindowCounterRateLimiter, CircuitBreaker]:
    """The counters in Redis, and what keeps away from a Redis that is down; one a process."""
    # It loads so much that a gateway without Redis would start noticeably later.
    from redis.backoff import NoBackoff  # pylint: disable=import-outside-toplevel
    from redis.retry import Retry  # pylint: disable=import-outside-toplevel

    storage = RedisStorage(
        url,
        key_prefix="sluice",
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed on to redis as it is
    )
    breaker = CircuitBreaker(1, _REDIS_PAUSE_SECONDS, storage.base_exceptions, "redis")
    return SlidingWindowCounterRateLimiter(storage), breaker
