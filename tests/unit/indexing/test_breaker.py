"""The dead-letter breaker: few dead letters pass, a flood does not, and it heals by itself."""

from hypothesis import given
from hypothesis import strategies as st

from indexing.breaker import DeadLetterBreaker


def test_a_few_dead_letters_pass_even_alone() -> None:
    breaker = DeadLetterBreaker()

    assert all(breaker.admits(dead=1, good=0) for _ in range(100))
    assert not breaker.admits(dead=1, good=0)


def test_many_dead_letters_among_more_good_events_pass() -> None:
    breaker = DeadLetterBreaker()

    assert all(breaker.admits(dead=400, good=600) for _ in range(50))


def test_a_batch_of_poison_is_refused_though_all_was_well_before() -> None:
    breaker = DeadLetterBreaker()
    for _ in range(100):
        assert breaker.admits(dead=0, good=2_000)

    assert breaker.admits(dead=1_000, good=1_000)
    assert not breaker.admits(dead=2_000, good=0)


def test_a_refused_batch_passes_once_most_of_it_is_good() -> None:
    breaker = DeadLetterBreaker()
    assert not breaker.admits(dead=2_000, good=0)

    assert breaker.admits(dead=10, good=1_990)


def test_good_batches_pass_while_others_are_refused() -> None:
    breaker = DeadLetterBreaker()
    assert not breaker.admits(dead=2_000, good=0)

    assert breaker.admits(dead=0, good=1)


@given(st.lists(st.integers(min_value=1, max_value=2_000), max_size=50))
def test_where_everything_is_poison_no_more_than_a_hundred_get_through(batches: list[int]) -> None:
    breaker = DeadLetterBreaker()

    assert sum(dead for dead in batches if breaker.admits(dead, good=0)) <= 100


def test_with_a_ratio_of_one_every_dead_letter_passes() -> None:
    breaker = DeadLetterBreaker(max_ratio=1)

    assert all(breaker.admits(dead=2_000, good=0) for _ in range(10))
