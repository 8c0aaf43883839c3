"""Offset at which reading begins: never silently elsewhere, and in doubt at the earliest record."""

import pytest

from indexing.resume import starting_offset


def test_a_new_group_begins_at_the_earliest_record() -> None:
    start = starting_offset(None, same_topic=True, low=3, high=10)

    assert (start.offset, start.warning) == (3, None)


@pytest.mark.parametrize("committed", [3, 7, 10])
def test_a_committed_offset_that_is_there_is_where_reading_goes_on(committed: int) -> None:
    start = starting_offset(committed, same_topic=True, low=3, high=10)

    assert (start.offset, start.warning) == (committed, None)


def test_a_topic_made_again_is_read_from_its_earliest_record() -> None:
    start = starting_offset(7, same_topic=False, low=3, high=10)

    assert start.offset == 3
    assert start.warning is not None
    assert "made again" in start.warning


@pytest.mark.parametrize(
    ("committed", "said"), [(1, "offsets 1 to 2 (2 at most) are gone unread"), (11, "had read up to 11")]
)
def test_every_jump_begins_at_the_earliest_record_and_is_told(committed: int, said: str) -> None:
    start = starting_offset(committed, same_topic=True, low=3, high=10)

    assert start.offset == 3
    assert start.warning is not None
    assert said in start.warning
