"""One member of a consumer group, on a client of the test's own: positions, commits, partitions that come and go."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from indexing.group import ConsumerGroup
from indexing.offsets import OffsetTracker
from kit.kafka import KafkaSettings

_NO_POSITION = KafkaError._AUTO_OFFSET_RESET  # pylint: disable=protected-access  # a public constant all the same


class _Failed(Message):
    """An error, which the client gives in place of a record."""

    def __init__(self, partition: int, error: KafkaError) -> None:
        super().__init__(topic="t", partition=partition)
        self._error = error

    def error(self) -> KafkaError:
        """The error."""
        return self._error


class _Kafka:  # pylint: disable=too-many-instance-attributes  # a client, its callbacks, and what the broker knows
    """A topic, the group's offsets in it, and the one client that the member has of both."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.topic_id = "id-1"
        self.kept: dict[int, tuple[int, str]] = {}
        self.ends = (0, 100)
        self.does_answer = True
        self.commits: list[dict[int, int]] = []
        self.refusal: KafkaError | None = None
        self.assigned: dict[int, int] = {}
        self.paused: set[int] = set()
        self.read: list[Message] = []
        self.callbacks: dict[str, Any] = {}
        self.calls: list[str] = []

    # Of a consumer and of an admin client, the part that the member uses.
    # pylint: disable=missing-function-docstring
    def subscribe(self, _topics: list[str], **callbacks: Any) -> None:
        self.callbacks |= callbacks

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition("t", partition) for partition in self.assigned]

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned |= {each.partition: each.offset for each in partitions}

    def incremental_unassign(self, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            del self.assigned[each.partition]

    def pause(self, partitions: list[TopicPartition]) -> None:
        self.paused |= {each.partition for each in partitions}

    def resume(self, partitions: list[TopicPartition]) -> None:
        self.paused -= {each.partition for each in partitions}

    def consume(self, _wanted: int, _timeout: float) -> list[Message]:
        found, self.read = self.read, []
        return found

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        assert timeout > 0
        if not self.does_answer:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # pylint: disable=protected-access
        found = []
        for each in partitions:
            offset, topic_id = self.kept.get(each.partition, (-1001, ""))
            found.append(TopicPartition("t", each.partition, offset, metadata=topic_id))
        return found

    def get_watermark_offsets(self, _partition: TopicPartition, **_options: Any) -> tuple[int, int]:
        return self.ends

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        self.calls.append("commit")
        if self.refusal is not None:
            raise KafkaException(self.refusal)
        assert {each.metadata for each in offsets} == {self.topic_id}
        self.commits.append({each.partition: each.offset for each in offsets})
        return [] if asynchronous else offsets

    def describe_topics(self, _topics: Any, request_timeout: float) -> dict[str, "Future[SimpleNamespace]"]:
        assert request_timeout > 0
        told: Future[SimpleNamespace] = Future()
        told.set_result(SimpleNamespace(topic_id=self.topic_id))
        return {"t": told}

    def list_topics(self, _topic: str, timeout: float) -> SimpleNamespace:
        if not self.does_answer:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))  # pylint: disable=protected-access
        assert timeout > 0
        return SimpleNamespace(topics={"t": SimpleNamespace(error=self.refusal)})

    def close(self) -> None:
        self.calls.append("close")


class _Member:
    """The member under test, with three partitions."""

    def __init__(self, kafka: _Kafka) -> None:
        self.kafka = kafka
        self.tracker = OffsetTracker()
        self.leaves: list[bool] = []
        self.group = ConsumerGroup(KafkaSettings(), "t", "unit", self.tracker, "unit")
        self.group.join(self._on_leave)

    def _on_leave(self, orderly: bool) -> None:
        self.kafka.calls.append("leave")
        self.leaves.append(orderly)

    def rebalance(self, what: str, *partitions: int) -> None:
        """Call the member back, as librdkafka does: on_assign, on_revoke or on_lost."""
        self.kafka.callbacks[what](self.kafka, [TopicPartition("t", partition) for partition in partitions])

    def settle(self, partition: int, up_to: int) -> None:
        """Deliver records, and settle them."""
        self.tracker.settle(self.tracker.deliver(partition, up_to))


@pytest.fixture(name="member")
def fixture_member(monkeypatch: pytest.MonkeyPatch) -> _Member:
    """A member that has joined, and has no partition yet."""
    kafka = _Kafka()

    def connect(*_arguments: Any, **_options: Any) -> _Kafka:
        return kafka

    monkeypatch.setattr("indexing.group.Consumer", connect)
    monkeypatch.setattr("indexing.group.AdminClient", connect)
    for module in ("group", "topic_id_watch"):
        monkeypatch.setattr(f"indexing.{module}.time", SimpleNamespace(monotonic=lambda: kafka.now))
    return _Member(kafka)


def test_a_partition_begins_where_the_group_left_it_or_at_its_first_record(member: _Member) -> None:
    member.kafka.ends = (5, 100)
    member.kafka.kept = {0: (42, "id-1"), 1: (43, "")}
    member.rebalance("on_assign", 0, 1, 2)

    assert member.kafka.assigned == {0: 42, 1: 43, 2: 5}
    assert member.group.has_joined


@pytest.mark.parametrize(
    ("kept", "words"),
    [((42, "id-0"), "made again"), ((2, "id-1"), "gone unread"), ((101, "id-1"), "the broker lost records")],
)
def test_an_offset_that_the_partition_does_not_have_is_its_beginning_and_an_error_in_the_log(
    kept: tuple[int, str], words: str, member: _Member, caplog: pytest.LogCaptureFixture
) -> None:
    member.kafka.ends = (5, 100)
    member.kafka.kept = {0: kept}
    member.rebalance("on_assign", 0)

    assert member.kafka.assigned == {0: 5}
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert words in record.getMessage()


def test_a_broker_that_does_not_tell_the_offsets_is_asked_again_on_the_clients_error(member: _Member) -> None:
    member.kafka.kept = {0: (42, "id-1")}
    member.kafka.does_answer = False
    member.rebalance("on_assign", 0)
    assert member.kafka.assigned[0] < 0, "left to the client, which has no position to reset to"

    member.kafka.does_answer = True
    member.kafka.read = [_Failed(0, KafkaError(_NO_POSITION))]
    assert member.group.read(10, 0) == []
    assert member.kafka.assigned == {0: 42}


def test_of_a_partition_that_begins_anew_no_earlier_record_is_taken(member: _Member) -> None:
    member.rebalance("on_assign", 0, 1)
    records = [Message(topic="t", partition=partition, offset=7, value=b"x") for partition in (0, 1, 0)]
    member.kafka.read = [records[0], records[1], _Failed(0, KafkaError(_NO_POSITION)), records[2]]

    assert member.group.read(10, 0) == [records[1], records[2]]


def test_a_fatal_error_ends_reading_and_any_other_does_not(member: _Member) -> None:
    member.rebalance("on_assign", 0)
    member.kafka.read = [_Failed(0, KafkaError(KafkaError.LEADER_NOT_AVAILABLE))]
    assert member.group.read(10, 0) == []

    member.kafka.read = [_Failed(0, KafkaError(KafkaError.FENCED_INSTANCE_ID, "fenced", True))]
    with pytest.raises(KafkaException, match="fenced"):
        member.group.read(10, 0)


def test_commits_in_the_background_are_half_a_second_apart_and_one_that_waits_is_made_at_once(member: _Member) -> None:
    member.rebalance("on_assign", 0)
    for number, seconds in enumerate((0.0, 0.3, 0.3), 1):
        member.kafka.now += seconds
        member.settle(0, number)
        member.group.commit()
    assert member.kafka.commits == [{0: 1}, {0: 3}]

    member.settle(0, 4)
    member.group.commit(wait=True)
    member.group.commit(wait=True)
    assert member.kafka.commits[2:] == [{0: 4}], "a second time there is nothing to commit"


def test_a_commit_that_fails_is_made_again(member: _Member) -> None:
    member.rebalance("on_assign", 0)
    member.settle(0, 9)
    member.kafka.refusal = KafkaError(KafkaError.REBALANCE_IN_PROGRESS)
    member.group.commit(wait=True)
    assert member.kafka.commits == []

    member.kafka.refusal = None
    member.group.commit(wait=True)
    assert member.kafka.commits == [{0: 9}]


def test_partitions_are_given_away_after_the_loop_was_told_and_what_is_settled_was_committed(member: _Member) -> None:
    member.rebalance("on_assign", 0, 1)
    member.settle(0, 9)
    member.kafka.calls.clear()
    member.rebalance("on_revoke", 0)

    assert member.kafka.calls == ["leave", "commit"]
    assert member.leaves == [True]
    assert member.kafka.commits == [{0: 9}]
    assert member.kafka.assigned.keys() == {1}
    assert not member.tracker.is_assigned(0) and member.tracker.is_assigned(1)


def test_of_lost_partitions_nothing_is_committed(member: _Member) -> None:
    member.rebalance("on_assign", 0)
    member.settle(0, 9)
    member.rebalance("on_lost", 0)
    member.group.commit(wait=True)

    assert member.leaves == [False]
    assert member.kafka.commits == []
    assert not member.tracker.is_assigned(0)


def test_partitions_that_come_while_it_is_paused_are_paused(member: _Member) -> None:
    member.rebalance("on_assign", 0)
    member.group.pause()
    member.rebalance("on_assign", 1)
    assert member.kafka.paused == {0, 1}

    member.group.resume()
    assert not member.kafka.paused


def test_a_topic_made_again_is_read_from_its_beginning_within_seconds(member: _Member) -> None:
    member.kafka.kept = {0: (42, "id-1")}
    member.rebalance("on_assign", 0)
    member.kafka.topic_id = "id-2"
    for _ in range(3):
        member.kafka.now += 5.0
        member.group.watch_topic()

    assert member.kafka.assigned == {0: 0}


def test_a_topic_that_stays_is_left_alone(member: _Member) -> None:
    member.rebalance("on_assign", 0)
    member.kafka.calls.clear()
    for _ in range(10):
        member.kafka.now += 5.0
        member.group.watch_topic()

    assert member.kafka.calls == []


def test_a_probe_says_what_is_wrong_with_the_topic(member: _Member) -> None:
    assert member.group.probe(2.0) is None
    member.kafka.refusal = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    assert "(create the topic)" in (member.group.probe(2.0) or "")
    member.kafka.does_answer = False
    assert "_TRANSPORT" in (member.group.probe(2.0) or "")


def test_leaving_closes_the_client(member: _Member) -> None:
    member.group.leave()
    assert member.kafka.calls == ["close"]
