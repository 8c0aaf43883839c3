"""Back-off with full jitter: never longer than its bound, which doubles up to a cap."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from indexing.backoff import full_jitter


class Longest(Random):
    """Always draws the upper end."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_the_bound_doubles_up_to_a_cap() -> None:
    assert [full_jitter(attempt, Longest()) for attempt in (1, 2, 3, 7, 8, 1_000_000)] == [0.2, 0.4, 0.8, 12.8, 15, 15]


@given(attempt=st.integers(min_value=1, max_value=10**9), seed=st.integers())
def test_a_wait_is_never_negative_nor_beyond_the_cap(attempt: int, seed: int) -> None:
    assert 0 <= full_jitter(attempt, Random(seed)) <= 15
