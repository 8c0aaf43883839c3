"""A partition's lag, from its offsets."""

from indexing.backlog import PartitionBacklog


def test_the_lag_is_what_lies_between_the_committed_offset_and_the_end() -> None:
    assert PartitionBacklog(0, committed=40, low=0, end=100).lag == 60


def test_a_group_that_never_committed_has_all_that_is_left_before_it() -> None:
    assert PartitionBacklog(0, committed=None, low=30, end=100).lag == 70


def test_what_retention_deleted_unread_is_no_lag() -> None:
    backlog = PartitionBacklog(0, committed=10, low=30, end=100)
    assert (backlog.start, backlog.lag) == (30, 70)


def test_an_offset_beyond_the_end_is_no_negative_lag() -> None:
    assert PartitionBacklog(0, committed=200, low=0, end=100).lag == 0
