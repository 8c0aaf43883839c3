"""The retry queue: nothing before its time, nothing twice, nothing forgotten."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from indexing.retry_queue import RetryQueue


@given(st.lists(st.integers(min_value=1, max_value=20)), st.integers())
def test_everything_is_given_out_once_and_within_the_longest_back_off(attempts: list[int], seed: int) -> None:
    queue: RetryQueue[int] = RetryQueue(Random(seed))
    for number, attempt in enumerate(attempts):
        queue.put(number, attempt, now=100.0)

    early = list(queue.take_due(99.9))
    given_out = [thing for tenths in range(151) for thing in queue.take_due(100.0 + tenths / 10)]
    assert not early
    assert sorted(given_out) == list(range(len(attempts)))


def test_things_due_at_once_keep_their_order_without_being_compared() -> None:
    class Always(Random):
        """Draws no delay."""

        def uniform(self, a: float, b: float) -> float:
            return a

    queue: RetryQueue[object] = RetryQueue(Always())
    things = [object() for _ in range(5)]
    for thing in things:
        queue.put(thing, 1, now=0.0)

    assert list(queue.take_due(0.0)) == things
