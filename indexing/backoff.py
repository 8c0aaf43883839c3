"""Back-off before another try."""

from random import Random

_BASE_SECONDS = 0.1
_CAP_SECONDS = 15.0


def full_jitter(attempt: int, random: Random, *, base: float = _BASE_SECONDS, cap: float = _CAP_SECONDS) -> float:
    """Seconds to wait before try number ``attempt`` + 1: anything up to a bound that doubles with each try.

    "Full jitter" of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/: it spreads the tries of
    many clients better than a bound with a little jitter on top.

    Args:
        attempt: tries that have failed so far, from 1.
        random: where the jitter comes from.
        base: half of the first bound, in seconds.
        cap: the highest bound.
    """
    # The exponent is bounded because tries are not: 2.0 ** 1024 overflows.
    return random.uniform(0, min(cap, base * 2 ** min(attempt, 16)))
