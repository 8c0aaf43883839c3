"""The reader of a topic where it is hard to have a broker do it: an error among records, and a fault of one's own."""

import os
import signal
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from gateway.live.topic_reader import Taker, TopicReader
from kit.kafka import KafkaSettings


class _Message:
    """A message, or the error that stands in its place."""

    def __init__(self, offset: int | None) -> None:
        self._offset = offset

    def error(self) -> KafkaError | None:
        """The error."""
        return KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION) if self._offset is None else None

    def partition(self) -> int | None:
        """The partition."""
        return None if self._offset is None else 0

    def offset(self) -> int | None:
        """The offset."""
        return self._offset


class _Consumer:
    """A consumer of one partition that brings what it is given at once."""

    def __init__(self, messages: list[_Message]) -> None:
        self._messages = messages

    def consume(self, _amount: int, _timeout: float) -> list[_Message]:
        """Everything."""
        return self._messages

    def list_topics(self, topic: str, **_: Any) -> Any:
        """One topic with one partition."""
        return type("Cluster", (), {"topics": {topic: type("Topic", (), {"error": None, "partitions": [0]})}})

    def get_watermark_offsets(self, *_: Any, **__: Any) -> tuple[int, int]:
        """The first offset and the next one."""
        return 0, 7

    def assign(self, _partitions: Any) -> None:
        """Begin."""

    def close(self) -> None:
        """End."""


def _reader(taken: list[Any]) -> TopicReader:
    settings = KafkaSettings(bootstrap_servers="127.0.0.1:9")
    return TopicReader(settings, "topic", 0, Taker(began=lambda *_: None, took=taken.append))


def test_what_came_before_an_error_is_handed_over() -> None:
    taken: list[Any] = []
    reader = _reader(taken)
    messages = [_Message(7), _Message(8), _Message(None)]
    with pytest.raises(KafkaException):
        reader._read(_Consumer(messages))  # type: ignore[arg-type]  # pylint: disable=protected-access  # one turn of it
    # They count as read, so nobody would bring them again.
    assert taken == [messages[:2]]
    assert reader._positions == {0: 9}  # pylint: disable=protected-access  # where it goes on


def test_a_fault_of_its_own_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_records: Any) -> None:
        raise ZeroDivisionError

    ended: list[tuple[int, int]] = []
    reader = TopicReader(
        KafkaSettings(bootstrap_servers="127.0.0.1:9"), "topic", 0, Taker(began=lambda *_: None, took=fail)
    )
    monkeypatch.setattr(reader, "_connect", lambda: _Consumer([_Message(7)]))
    monkeypatch.setattr(os, "kill", lambda *how: ended.append(how))
    reader._run()  # pylint: disable=protected-access  # in this thread
    # A process that reads nothing any more, and says that it is ready, would show nobody anything.
    assert ended == [(os.getpid(), signal.SIGTERM)]
