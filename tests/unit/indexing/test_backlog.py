"""A partition's lag, from its offsets."""

from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from indexing import backlog as module
from indexing.backlog import PartitionBacklog, committed_positions


class _Asked:  # pylint: disable=too-few-public-methods  # a consumer has many, of which one is asked
    """A consumer whose questions have these errors, one after the other, before they are answered."""

    def __init__(self, *errors: int) -> None:
        self.errors = [*errors]

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """Answer with what is asked."""
        assert timeout > 0
        if self.errors:
            raise KafkaException(KafkaError(self.errors.pop(0)))
        return partitions


def _positions(asked: _Asked) -> list[TopicPartition]:
    return committed_positions(cast(Consumer, asked), [TopicPartition("events", 0)])


def test_a_group_whose_coordinator_is_still_looked_for_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)
    assert len(_positions(_Asked(KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS))) == 1


def test_a_cluster_that_never_finds_the_coordinator_is_an_error_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.01)
    with pytest.raises(KafkaException):
        _positions(_Asked(*[KafkaError.COORDINATOR_NOT_AVAILABLE] * 100))


def test_any_other_error_is_one_at_once() -> None:
    asked = _Asked(KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.NOT_COORDINATOR)
    with pytest.raises(KafkaException):
        _positions(asked)
    assert asked.errors == [KafkaError.NOT_COORDINATOR]


def test_the_lag_is_what_lies_between_the_committed_offset_and_the_end() -> None:
    assert PartitionBacklog(0, committed=40, low=0, end=100).lag == 60


def test_a_group_that_never_committed_has_all_that_is_left_before_it() -> None:
    assert PartitionBacklog(0, committed=None, low=30, end=100).lag == 70


def test_records_that_retention_deleted_unread_are_no_lag() -> None:
    backlog = PartitionBacklog(0, committed=10, low=30, end=100)
    assert (backlog.start, backlog.lag) == (30, 70)


def test_an_offset_beyond_the_end_is_no_negative_lag() -> None:
    assert PartitionBacklog(0, committed=200, low=0, end=100).lag == 0
