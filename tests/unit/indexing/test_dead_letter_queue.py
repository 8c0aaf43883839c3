"""The producer of dead letters: each letter is acknowledged exactly once, however often Kafka refuses it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from indexing.batch import DeadLetter
from indexing.dead_letter_queue import DeadLetterQueue
from kit.kafka import KafkaSettings

Report = Callable[[KafkaError | None, Message | None], None]

_REFUSED = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
_LONG_SECONDS = 60.0
"""Longer than any back-off."""


class _Producer:
    """Keeps what it is to send, until the test says what became of it."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Report]] = []
        self.is_full = False
        self.is_dead = False

    def produce(self, _topic: str, *, value: bytes, on_delivery: Report, **_options: Any) -> None:
        """Take a record."""
        if self.is_full:
            raise BufferError("the queue is full")
        self.sent.append((value, on_delivery))

    def poll(self, _timeout: float) -> int:
        """Report nothing by itself."""
        if self.is_dead:
            raise KafkaException(KafkaError(KafkaError._FATAL))  # pylint: disable=protected-access  # public, but so named
        return 0

    def report(self, error: KafkaError | None = None) -> None:
        """Tell what has become of the records so far."""
        sent, self.sent = self.sent, []
        for _, on_delivery in sent:
            on_delivery(error, None)


class _Kafka:
    """The clock, and the producers that were made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.producers: list[_Producer] = []
        self.acknowledged: list[int] = []
        monkeypatch.setattr("indexing.dead_letter_queue.Producer", self._produce)
        monkeypatch.setattr("indexing.dead_letter_queue.time", SimpleNamespace(monotonic=lambda: self.now))
        self.queue = DeadLetterQueue(KafkaSettings(), "letters", "unit")

    def _produce(self, *_arguments: Any, **_options: Any) -> _Producer:
        self.producers.append(_Producer())
        return self.producers[-1]

    def send(self, number: int) -> None:
        """Send a letter."""
        record = Message(topic="t", partition=0, offset=number, value=b"%d" % number, timestamp=(1, 0))
        self.queue.send(DeadLetter(record, "not_json", "why"), lambda: self.acknowledged.append(number))

    def serve_after(self, seconds: float) -> None:
        """Let time pass, and the queue do what is due."""
        self.now += seconds
        self.queue.serve()


@pytest.fixture(name="kafka")
def fixture_kafka(monkeypatch: pytest.MonkeyPatch) -> _Kafka:
    """A queue on producers of the test's own."""
    return _Kafka(monkeypatch)


def test_a_letter_is_acknowledged_once_the_topic_has_it_and_not_before(kafka: _Kafka) -> None:
    kafka.send(1)
    kafka.serve_after(_LONG_SECONDS)
    assert kafka.acknowledged == []

    kafka.producers[0].report()
    assert kafka.acknowledged == [1]
    assert kafka.queue.trouble is None


def test_a_refused_letter_is_sent_again_after_a_while_and_trouble_lasts_until_one_is_taken(kafka: _Kafka) -> None:
    [producer] = kafka.producers
    kafka.send(1)
    for _ in range(3):
        producer.report(_REFUSED)
        assert kafka.queue.trouble == str(_REFUSED)
        kafka.serve_after(0)
        assert not producer.sent, "no letter is sent again at once"
        kafka.serve_after(_LONG_SECONDS)
        assert [value for value, _ in producer.sent] == [b"1"]
    assert kafka.acknowledged == []

    producer.report()
    assert kafka.acknowledged == [1]
    assert kafka.queue.trouble is None


def test_trouble_is_logged_when_it_begins_and_when_it_ends_alone(
    kafka: _Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "indexing.dead_letter_queue")
    for number in range(5):
        kafka.send(number)
    kafka.producers[0].report(_REFUSED)
    kafka.serve_after(_LONG_SECONDS)
    kafka.producers[0].report()

    first, last = [record.getMessage() for record in caplog.records]
    assert first.startswith("the topic letters refuses dead letters")
    assert last == "the dead-letter topic takes letters again"


def test_a_letter_for_which_the_client_has_no_room_is_sent_later(kafka: _Kafka) -> None:
    [producer] = kafka.producers
    producer.is_full = True
    kafka.send(1)
    producer.is_full = False
    kafka.serve_after(_LONG_SECONDS)
    producer.report()

    assert kafka.acknowledged == [1]


def test_a_producer_that_cannot_go_on_is_replaced_and_its_late_reports_count_for_nothing(kafka: _Kafka) -> None:
    [old] = kafka.producers
    kafka.send(1)
    kafka.send(2)
    old.is_dead = True
    kafka.serve_after(0)
    new = kafka.producers[1]
    kafka.serve_after(_LONG_SECONDS)
    assert sorted(value for value, _ in new.sent) == [b"1", b"2"]

    old.report(_REFUSED)
    new.report()
    old.report()
    kafka.serve_after(_LONG_SECONDS)
    assert sorted(kafka.acknowledged) == [1, 2]
    assert not new.sent
