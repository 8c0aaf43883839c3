"""An event that Kafka does not take, or a segment that the disk does not give back, stops no event behind it."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from django.test import Client
from prometheus_client import REGISTRY
from pytest_django import Settings

from contracts.query_event.event import AuditEvent, encode, headers
from contracts.query_event.topics import TopicSettings
from gateway.audit.delivery import EventDelivery, event_delivery
from gateway.audit.producer import KafkaEventProducer, Report
from gateway.audit.route import State
from gateway.audit.settings import AuditMode
from gateway.audit.spool import SEGMENT_BYTES, Spool
from gateway.audit.spool_format import MAX_FRAME_BYTES, Record, unframe
from kit.kafka import KafkaSettings
from tests.support.gateway import PATIENCE_SECONDS, Search
from tests.support.query_event import event, read_event
from tests.support.waiting import eventually

TOPIC = "gateway-small-events"
LARGEST = 20_000
LIBERAL_TOPIC = "gateway-ordered-events"
USER = 7
"""All these events are one user's."""

Read = Callable[..., list[str]]


@pytest.fixture(scope="session")
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    """A cluster with a topic that refuses large records, and one that does not."""
    topics = [NewTopic(TOPIC, 1, 1, config={"max.message.bytes": str(LARGEST)}), NewTopic(LIBERAL_TOPIC, 1, 1)]
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for made in admin.create_topics(topics).values():
        made.result(PATIENCE_SECONDS)
    return KafkaSettings(bootstrap_servers=kafka_bootstrap)


@pytest.fixture
def read(kafka: KafkaSettings) -> Iterator[Read]:
    """Reads the ids of the events that this test has brought to a topic, in their order."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "refused-events"})

    def end(topic: str) -> int:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=PATIENCE_SECONDS)[1])

    starts = {topic: end(topic) for topic in (TOPIC, LIBERAL_TOPIC)}

    def ids(topic: str = TOPIC) -> list[str]:
        consumer.assign([TopicPartition(topic, 0, starts[topic])])
        found = consumer.consume(end(topic) - starts[topic], PATIENCE_SECONDS)
        return [str(read_event(message.value())["event_id"]) for message in found]

    yield ids
    consumer.close()


def _small(size: int = 0) -> AuditEvent:
    return event(USER, query="x" * size)


def _large() -> AuditEvent:
    return event(USER, query="x" * 2 * LARGEST)


def _trail(kafka: KafkaSettings, home: Path, timeout: float = 20.0) -> EventDelivery:
    return EventDelivery(
        KafkaEventProducer(kafka, TOPIC), Spool.claim(home, 64 * SEGMENT_BYTES, 1), AuditMode.DURABLE, timeout
    ).start()


def _leave_behind(home: Path, *segments: list[AuditEvent]) -> None:
    """Fill the spool of a process that is gone."""
    spool = Spool.claim(home, 64 * SEGMENT_BYTES, 1)
    for events in segments:
        for each in events:
            spool.append(Record(each.event_id, each.user_id, encode(each), headers(each, None)))
        spool._seal()  # pylint: disable=protected-access  # a segment ends by its size otherwise
    spool.close()


def _refused(home: Path) -> list[str]:
    return [record.event_id for record in unframe((home / "000" / "refused").read_bytes()).records]


def _wait_until_sent(trail: EventDelivery) -> None:
    eventually(lambda: not trail.spool.segments, "the spool is sent")


def test_an_event_that_kafka_refuses_for_ever_is_kept_counted_and_told_and_those_behind_it_pass(
    kafka: KafkaSettings,
    read: Read,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Which passes a line of a kind once in a while.
    for name in ("delivery", "spool_sender"):
        monkeypatch.setattr(logging.getLogger(f"gateway.audit.{name}"), "filters", [])
    counted = REGISTRY.get_sample_value("gateway_audit_refused_total") or 0.0
    trail = _trail(kafka, tmp_path)
    before, large, behind = _small(), _large(), [_small() for _ in range(10)]
    with caplog.at_level(logging.ERROR, "gateway.audit"):
        for each in (before, large, *behind):
            trail.record(each, None)
        _wait_until_sent(trail)
    assert _refused(tmp_path) == [large.event_id]
    assert read() == [each.event_id for each in (before, *behind)]
    assert REGISTRY.get_sample_value("gateway_audit_refused_total") == counted + 1
    told = [line for line in caplog.messages if "MSG_SIZE_TOO_LARGE" in line]
    assert any("event " + large.event_id in line and "refused" in line for line in told), caplog.messages
    assert "no acknowledgement" not in caplog.text

    taken_straight = _small()
    eventually(lambda: trail.state is State.DIRECT, "events go straight again")
    trail.record(taken_straight, None)
    assert not trail.spool.segments
    assert read()[-1] == taken_straight.event_id


def test_events_that_are_too_large_only_together_are_all_sent(kafka: KafkaSettings, read: Read, tmp_path: Path) -> None:
    events = [_small(LARGEST // 8) for _ in range(30)]
    large = _large()
    _leave_behind(tmp_path, [*events[:15], large, *events[15:]])
    _wait_until_sent(_trail(kafka, tmp_path))
    assert sorted(read()) == sorted(each.event_id for each in events)
    assert _refused(tmp_path) == [large.event_id]


class _FullForAMoment(KafkaEventProducer):
    """A producer whose queue has no room for an event when it is first sent."""

    def __init__(self, kafka: KafkaSettings, event_id: str) -> None:
        super().__init__(kafka, LIBERAL_TOPIC)
        self._turned_away = {event_id}

    def produce(self, record: Record, report: Report) -> None:
        if record.event_id in self._turned_away:
            self._turned_away.clear()
            raise BufferError("Local: Queue full")
        super().produce(record, report)


def test_no_event_overtakes_one_that_could_not_be_sent_when_the_spool_was_nearly_empty(
    kafka: KafkaSettings, read: Read, tmp_path: Path
) -> None:
    left = [_small() for _ in range(6)]
    _leave_behind(tmp_path, left[:2], left[2:])
    spool = Spool.claim(tmp_path, 64 * SEGMENT_BYTES, 1)
    trail = EventDelivery(_FullForAMoment(kafka, left[4].event_id), spool, AuditMode.DURABLE, 20.0).start()
    later = []
    while trail.spool.segments:
        later.append(_small())
        trail.record(later[-1], None)
    assert read(LIBERAL_TOPIC) == [each.event_id for each in [*left, *later]]


def test_a_segment_that_cannot_be_read_is_passed_over_kept_and_counted(
    kafka: KafkaSettings, read: Read, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost, left = [_small()], [_small() for _ in range(3)]
    _leave_behind(tmp_path, lost, left)
    spool = Spool.claim(tmp_path, 64 * SEGMENT_BYTES, 1)
    segment = tmp_path / "000" / "0000000001.spool"
    size = segment.stat().st_size
    segment.unlink()
    # Linux refuses to read a process's first page, which nothing is mapped to, as a bad disk does: with EIO.
    segment.symlink_to("/proc/self/mem")
    counted = REGISTRY.get_sample_value("gateway_spool_damaged_bytes_total") or 0.0
    with caplog.at_level(logging.ERROR, "gateway.audit"):
        _wait_until_sent(EventDelivery(KafkaEventProducer(kafka, TOPIC), spool, AuditMode.DURABLE, 20.0).start())
    assert read() == [each.event_id for each in left]
    assert segment.with_suffix(".lost").is_symlink()
    assert f"{segment} cannot be read and is passed over: Input/output error" in caplog.text
    assert REGISTRY.get_sample_value("gateway_spool_damaged_bytes_total") == counted + size


def test_a_search_whose_event_kafka_refuses_is_answered_until_the_disk_has_no_room_for_more(
    search: Search, stack: Settings, kafka: KafkaSettings, client: Client
) -> None:
    del kafka
    stack.AUDIT = TopicSettings(topic=TOPIC)
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"spool_bytes": MAX_FRAME_BYTES + LARGEST})
    assert client.get("/readyz").json()["status"] == "ready"
    assert search("Hostname = a" + " " * 2 * LARGEST).status_code == 200
    _wait_until_sent(event_delivery())
    unready = client.get("/readyz")
    assert (unready.status_code, unready.json()["status"]) == (503, "unready")
    assert set(unready.json()["dependencies"].values()) == {"up"}
