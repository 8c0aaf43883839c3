"""The marker of a replay, which is a record among the letters."""

from collections.abc import Iterable

import pytest
from confluent_kafka import Message

from indexing.batch import DeadLetter
from indexing.dead_letter import envelope
from indexing.replay_marker import mark_replayed, replayed_until
from kit.kafka import KafkaSettings, NewRecord


def _read_back(record: NewRecord) -> Message:
    return Message(topic=record.topic, partition=record.partition, offset=9, value=None, headers=[*record.headers])


def test_each_partition_gets_a_marker_that_says_how_far_it_was_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    produced: list[NewRecord] = []

    def produce(_kafka: KafkaSettings, _client: str, records: Iterable[NewRecord], within: float) -> None:
        assert within > 0
        produced.extend(records)

    monkeypatch.setattr("indexing.replay_marker.produce", produce)
    mark_replayed(KafkaSettings(), "letters", "unit", {0: 7, 2: 12})

    assert {each.topic for each in produced} == {"letters"}
    assert {each.partition: replayed_until(_read_back(each)) for each in produced} == {0: 7, 2: 12}


def test_a_letter_is_no_marker() -> None:
    original = Message(topic="t", partition=0, offset=1, value=b"x", timestamp=(1, 0))
    sealed = envelope(DeadLetter(original, "not_json", "why"))
    letter = Message(topic="letters", partition=0, offset=0, value=sealed.value, headers=[*sealed.headers])
    assert replayed_until(letter) is None


def test_an_original_cannot_forge_a_marker() -> None:
    headers: list[tuple[str, str | bytes | None]] = [("dead_letter_replayed_until", b"99")]
    original = Message(topic="t", partition=0, offset=1, value=b"x", headers=headers, timestamp=(1, 0))
    sealed = envelope(DeadLetter(original, "not_json", "why"))
    letter = Message(topic="letters", partition=0, offset=0, value=sealed.value, headers=[*sealed.headers])
    assert replayed_until(letter) is None


@pytest.mark.parametrize("value", [b"", b"-1", b"x", None])
def test_a_header_that_is_no_offset_is_no_marker(value: bytes | None) -> None:
    headers: list[tuple[str, str | bytes | None]] = [("dead_letter_replayed_until", value)]
    assert replayed_until(Message(topic="letters", partition=0, offset=0, headers=headers)) is None
