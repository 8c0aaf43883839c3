"""Delivery with a fake producer: whatever Kafka and the disk do, recorded events arrive, in their order, once each.

The sender's thread is not started: the rules of the state machine take its steps, one at a time, so that every order
of a request's and the sender's actions can be tried.
"""
# pylint: disable=missing-function-docstring  # the rules of a state machine are named as sentences

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.audit.delivery import EventDelivery
from gateway.audit.producer import Report
from gateway.audit.route import State
from gateway.audit.settings import AuditMode
from gateway.audit.spool import SEGMENT_BYTES, Spool
from gateway.audit.spool_format import Record, unframe
from gateway.http.problems import Unavailable
from tests.support.query_event import event

_TIMED_OUT = KafkaError(KafkaError._TIMED_OUT)  # pylint: disable=protected-access  # it is public


class _Kafka:
    """Producer whose broker does what it is told: take events, keep them on their way, refuse them, or be away.

    It keeps what an idempotent producer promises: events arrive in the order in which they were sent.
    """

    def __init__(self) -> None:
        self.behaviour = "takes"
        self.topic: list[str] = []
        self.refuses: set[str] = set()
        self.meanwhile: Callable[[], None] | None = None
        """Done once, while the next event is sent."""
        self._under_way: list[tuple[str, Report]] = []

    @property
    def pending(self) -> int:
        return len(self._under_way)

    def produce(self, record: Record, report: Report) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        if self.behaviour == "full":
            raise BufferError
        if self.behaviour == "refuses at once":
            raise KafkaException(_TIMED_OUT)
        if record.event_id in self.refuses:
            report(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), None)
            return
        self._under_way.append((record.event_id, report))
        if self.behaviour == "takes":
            self.collect_reports()

    def collect_reports(self) -> None:
        """All that is under way arrives."""
        under_way, self._under_way = self._under_way, []
        for event_id, report in under_way:
            self.topic.append(event_id)
            report(None, None)

    def lose(self) -> None:
        """All that is under way is reported as failed, as when the producer is replaced."""
        under_way, self._under_way = self._under_way, []
        for _, report in under_way:
            report(_TIMED_OUT, None)

    def probe(self, timeout: float) -> None:
        del timeout
        if self.behaviour != "takes":
            raise KafkaException(_TIMED_OUT)


class _Stop(Exception):
    """The sender would wait here."""


class Deliveries(RuleBasedStateMachine):
    """Requests record events, the sender takes its steps, Kafka comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.kafka = _Kafka()
        self.recorded: list[str] = []
        self._start()

    def _start(self) -> None:
        self.spool = Spool.claim(self.home, 4 * SEGMENT_BYTES, 1)
        self.delivery = EventDelivery(self.kafka, self.spool, AuditMode.DURABLE, timeout=0.0, is_ending=self._wait)

    def _wait(self) -> bool:
        raise _Stop

    @rule(refused=st.sampled_from([False, False, False, True]))
    def an_event_is_recorded(self, refused: bool) -> None:
        new = event()
        if refused:
            self.kafka.refuses.add(new.event_id)
        self.delivery.record(new, None)
        self.recorded.append(new.event_id)

    @rule(behaviour=st.sampled_from(["takes", "keeps", "full", "refuses at once"]))
    def kafka_changes(self, behaviour: str) -> None:
        self.kafka.behaviour = behaviour
        if behaviour == "takes":
            self.kafka.collect_reports()

    @rule()
    def what_is_under_way_arrives(self) -> None:
        self.kafka.collect_reports()

    @rule()
    def what_is_under_way_is_lost(self) -> None:
        self.kafka.lose()

    @rule()
    def the_sender_takes_a_step(self) -> None:
        self._step()

    def _step(self) -> None:
        if self.delivery.state is State.DIRECT and not self.spool.segments:
            return
        try:
            self.delivery.sender.step()
        except _Stop:
            pass

    @rule()
    def an_event_is_recorded_while_the_sender_takes_a_step(self) -> None:
        def record() -> None:
            # While it hands over, the gate is closed, and a request would wait.
            if self.delivery.state is not State.HANDING_OVER:
                self.an_event_is_recorded(False)

        if self.delivery.state is State.DIRECT:
            return
        self.kafka.meanwhile = record
        self._step()
        self.kafka.meanwhile = None

    @rule()
    def the_process_is_killed_and_starts_again(self) -> None:
        self.kafka.lose()
        self.spool.close()
        self._start()

    @invariant()
    def every_recorded_event_is_on_the_topic_or_the_disk(self) -> None:
        assert set(self.recorded) <= set(self.kafka.topic) | self._on_disk() | self.kafka.refuses

    @invariant()
    def no_event_overtakes_an_earlier_one(self) -> None:
        first_seen = list(dict.fromkeys(self.kafka.topic))
        assert first_seen == [event_id for event_id in self.recorded if event_id in set(first_seen)]

    @invariant()
    def events_go_directly_only_when_the_spool_is_empty(self) -> None:
        assert self.delivery.state is not State.DIRECT or not self.spool.segments

    def _on_disk(self) -> set[str]:
        # pylint: disable=protected-access  # the invariant looks at the files, which nothing else offers
        return {record.event_id for segment in self.spool._segments() for record in self.spool.read(segment).records}

    def _set_aside(self) -> list[str]:
        kept = self.home / "000" / "refused"
        return (
            list(dict.fromkeys(each.event_id for each in unframe(kept.read_bytes()).records)) if kept.exists() else []
        )

    def teardown(self) -> None:
        """In the end Kafka takes everything, and events go directly again."""
        self.kafka.behaviour = "takes"
        self.kafka.collect_reports()
        # Each restart may have left a segment, and each takes a step, or two with an event that is refused.
        for _ in range(10 + 2 * self.spool.segments):
            self._step()
        assert self.delivery.state is State.DIRECT
        assert not self.spool.segments
        assert [event_id for event_id in self.recorded if event_id not in self.kafka.refuses] == list(
            dict.fromkeys(self.kafka.topic)
        )
        assert self._set_aside() == [event_id for event_id in self.recorded if event_id in self.kafka.refuses]
        self.spool.close()
        shutil.rmtree(self.home)


Deliveries.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
test_recorded_events_arrive_in_order = Deliveries.TestCase


@pytest.fixture
def kafka() -> _Kafka:
    """A broker that has the events, and says nothing of them."""
    broker = _Kafka()
    broker.behaviour = "keeps"
    return broker


@pytest.fixture
def delivery(kafka: _Kafka, tmp_path: Path) -> Iterator[EventDelivery]:
    """A delivery whose sender stops where it would wait."""

    def stop() -> bool:
        raise _Stop

    spool = Spool.claim(tmp_path, 4 * SEGMENT_BYTES, 1)
    yield EventDelivery(kafka, spool, AuditMode.DURABLE, timeout=0.0, is_ending=stop)
    spool.close()


def _state(delivery: EventDelivery) -> State:
    return delivery.state


def test_no_event_overtakes_one_that_was_lost_on_its_way(kafka: _Kafka, delivery: EventDelivery) -> None:
    first, second = event(), event()
    delivery.record(first, None)
    delivery.record(second, None)
    kafka.lose()
    kafka.behaviour = "takes"
    delivery.sender.step()
    assert kafka.topic == [first.event_id, second.event_id]


def test_an_event_whose_acknowledgement_comes_late_is_not_sent_twice(kafka: _Kafka, delivery: EventDelivery) -> None:
    new = event()
    delivery.record(new, None)
    kafka.collect_reports()
    kafka.behaviour = "takes"
    delivery.sender.step()
    assert kafka.topic == [new.event_id]
    assert not delivery.spool.segments


def test_no_event_goes_directly_before_all_segments_are_sent(kafka: _Kafka, tmp_path: Path) -> None:
    for _ in range(3):
        left = Spool.claim(tmp_path, 4 * SEGMENT_BYTES, 1)
        EventDelivery(kafka, left, AuditMode.DURABLE, timeout=0.0).record(event(), None)
        left.close()
    kafka.lose()
    kafka.behaviour = "takes"
    spool = Spool.claim(tmp_path, 4 * SEGMENT_BYTES, 1)
    delivery = EventDelivery(kafka, spool, AuditMode.DURABLE, timeout=0.0)
    states = []
    for _ in range(3):
        delivery.sender.step()
        states.append((delivery.state, spool.segments))
    assert states == [(State.SENDING, 2), (State.SENDING, 1), (State.DIRECT, 0)]
    spool.close()


def test_events_go_to_the_spool_again_where_the_last_of_it_does_not_arrive_in_time(
    kafka: _Kafka, delivery: EventDelivery
) -> None:
    delivery.record(event(), None)
    # So that one is left to be handed over when the first has arrived.
    kafka.lose()
    kafka.behaviour = "takes"
    kafka.meanwhile = lambda: delivery.record(event(), None)
    delivery.sender.step()
    assert _state(delivery) is State.SENDING
    kafka.behaviour = "keeps"
    with pytest.raises(_Stop):
        delivery.sender.step()
    assert _state(delivery) is State.SPOOLING
    kafka.collect_reports()
    kafka.behaviour = "takes"
    delivery.sender.step()
    delivery.sender.step()
    assert _state(delivery) is State.DIRECT
    assert not delivery.spool.segments


def test_an_event_that_neither_kafka_nor_the_disk_takes_is_not_recorded(tmp_path: Path) -> None:
    kafka = _Kafka()
    kafka.behaviour = "keeps"
    spool = Spool.claim(tmp_path, 0, 1)
    delivery = EventDelivery(kafka, spool, AuditMode.DURABLE, timeout=0.0)

    with pytest.raises(Unavailable, match="audit trail cannot be written"):
        delivery.record(event(), None)
    spool.close()


def test_in_the_mode_async_nothing_is_waited_for_and_nothing_spooled(tmp_path: Path) -> None:
    kafka = _Kafka()
    kafka.behaviour = "keeps"
    spool = Spool.claim(tmp_path, SEGMENT_BYTES, 1)
    delivery = EventDelivery(kafka, spool, AuditMode.ASYNC, timeout=60.0)
    delivery.record(event(), None)

    assert (kafka.pending, spool.records) == (1, 0)
    spool.close()
