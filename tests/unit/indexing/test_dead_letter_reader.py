"""Reading the dead-letter topic: from its beginning to where it ended, and never for ever."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from indexing.dead_letter_reader import DeadLetterReader
from kit.kafka import KafkaSettings


class _Failed(Message):
    """An error, which the client gives in place of a record."""

    def __init__(self, is_retriable: bool) -> None:
        super().__init__(topic="letters", partition=0)
        self._error = KafkaError(KafkaError.LEADER_NOT_AVAILABLE, "no leader", False, is_retriable)

    def error(self) -> KafkaError:
        """The error."""
        return self._error


class _Topic:  # pylint: disable=too-many-instance-attributes  # a topic, its client and its clock
    """A topic of two partitions, and a client of it that moves the clock on while it waits."""

    def __init__(self) -> None:
        self.records: dict[int, list[Message]] = {0: [], 1: []}
        self.lows = {0: 0, 1: 0}
        self.ends: dict[int, int] = {}
        self.failures: list[Message] = []
        self.is_silent = False
        self.is_closed = False
        self.error: KafkaError | None = None
        self.now = 0.0
        self._positions: dict[int, int] = {}

    def put(self, partition: int, name: str, replayed_until: int | None = None) -> None:
        """Append a letter, or a marker."""
        headers: list[tuple[str, str | bytes | None]] = (
            [] if replayed_until is None else [("dead_letter_replayed_until", b"%d" % replayed_until)]
        )
        records = self.records[partition]
        offset = (records[-1].offset() or 0) + 1 if records else self.lows[partition]
        records.append(
            Message(topic="letters", partition=partition, offset=offset, value=name.encode(), headers=headers)
        )

    # Of a consumer, the part that the reader uses.
    # pylint: disable=missing-function-docstring
    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        del timeout
        return SimpleNamespace(topics={topic: SimpleNamespace(error=self.error, partitions=[*self.records])})

    def get_watermark_offsets(self, partition: TopicPartition, timeout: float) -> tuple[int, int]:
        del timeout
        number = partition.partition
        records = self.records[number]
        return self.lows[number], self.ends.get(number, (records[-1].offset() or 0) + 1 if records else 0)

    def assign(self, starts: list[TopicPartition]) -> None:
        self._positions = {start.partition: start.offset for start in starts}

    def consume(self, wanted: int, timeout: float) -> list[Message]:
        found = [self.failures.pop()] if self.failures else []
        if not self.is_silent:
            for partition, position in self._positions.items():
                left = [each for each in self.records[partition] if (each.offset() or 0) >= position]
                taken = left[: wanted - len(found)]
                found += taken
                if taken:
                    self._positions[partition] = (taken[-1].offset() or 0) + 1
        if not found:
            self.now += timeout
        return found

    def position(self, starts: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition("letters", start.partition, self._positions[start.partition]) for start in starts]

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(name="topic")
def fixture_topic(monkeypatch: pytest.MonkeyPatch) -> _Topic:
    """The topic that every reader of the test reads."""
    topic = _Topic()

    def connect(*_arguments: Any, **_options: Any) -> _Topic:
        return topic

    monkeypatch.setattr("indexing.dead_letter_reader.Consumer", connect)
    monkeypatch.setattr("indexing.dead_letter_reader.time", SimpleNamespace(monotonic=lambda: topic.now))
    return topic


def _reader() -> DeadLetterReader:
    return DeadLetterReader(KafkaSettings(), "letters", "unit")


def _names(letters: Any) -> list[str]:
    return [letter.value().decode() for letter in letters]


def test_every_letter_is_read_once_and_the_client_is_closed(topic: _Topic) -> None:
    for name in ("a", "b"):
        topic.put(0, name)
    topic.put(1, "c")
    reader = _reader()

    assert reader.count == 3
    assert reader.ends == {0: 2, 1: 1}
    assert sorted(_names(reader)) == ["a", "b", "c"]
    assert topic.is_closed


def test_letters_that_come_while_it_reads_are_left_for_the_next_look(topic: _Topic) -> None:
    topic.put(0, "before")
    reader = _reader()
    topic.put(0, "after")

    assert _names(reader) == ["before"]
    assert _names(_reader()) == ["before", "after"]


def test_an_empty_topic_has_no_letters(topic: _Topic) -> None:
    assert _names(_reader()) == []
    assert topic.is_closed


def test_markers_are_no_letters_and_hide_those_before_them(topic: _Topic) -> None:
    topic.put(0, "a")
    topic.put(0, "b")
    topic.put(0, "", replayed_until=2)
    topic.put(0, "c")
    topic.put(1, "d")

    assert sorted(_names(_reader())) == ["a", "b", "c", "d"]
    assert sorted(_names(_reader().unreplayed())) == ["c", "d"]


def test_of_several_markers_the_furthest_counts(topic: _Topic) -> None:
    for name in ("a", "b", "c"):
        topic.put(0, name)
    topic.put(0, "", replayed_until=3)
    topic.put(0, "", replayed_until=1)

    assert _names(_reader().unreplayed()) == []
    assert topic.is_closed


def test_an_end_that_no_record_reaches_is_crossed_by_the_position(topic: _Topic) -> None:
    topic.put(0, "a")
    topic.put(0, "what compaction removed")
    reader = _reader()
    topic.records[0][1] = Message(topic="letters", partition=0, offset=2, value=b"after the end")

    assert _names(reader) == ["a"]


def test_silence_ends_with_an_error_after_half_a_minute(topic: _Topic) -> None:
    topic.put(0, "a")
    topic.is_silent = True
    with pytest.raises(KafkaException, match="letters stays silent"):
        list(_reader())

    assert 30 < topic.now < 32
    assert topic.is_closed


def test_an_error_that_passes_is_passed_over_and_any_other_is_raised(topic: _Topic) -> None:
    topic.put(0, "a")
    topic.failures = [_Failed(is_retriable=True)]
    assert _names(_reader()) == ["a"]

    topic.failures = [_Failed(is_retriable=False)]
    with pytest.raises(KafkaException, match="no leader"):
        list(_reader())
    assert topic.is_closed


def test_one_letter_can_be_read_by_its_place(topic: _Topic) -> None:
    for name in ("a", "b"):
        topic.put(0, name)
    topic.put(0, "", replayed_until=2)

    letter = _reader().at(0, 1)
    assert letter is not None and letter.value() == b"b"
    for place in ((0, 2), (0, 3), (1, 0), (7, 0)):
        assert _reader().at(*place) is None, place


def test_a_topic_that_is_not_there_is_named(topic: _Topic) -> None:
    topic.error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    with pytest.raises(KafkaException, match="letters"):
        _reader()
