"""Memory is bounded by settings, whatever waits in the topic."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from contracts.query_event.event import encode, new_event_id
from tests.support.consumer_process import Start
from tests.support.faulty_elasticsearch import FaultyElasticsearch
from tests.support.faulty_proxy import Reply
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually

_BACKLOG = 1_000_000
_MOST_MEGABYTES = 300


def _values() -> Iterator[bytes]:
    pattern = event(query="Hostname = octoxlabs*")
    before, after = encode(pattern).split(pattern.event_id.encode())
    for _ in range(_BACKLOG):
        yield before + new_event_id().encode() + after


@pytest.mark.timeout(600)
def test_a_backlog_of_a_million_events_takes_less_than_300_megabytes(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    producer = Producer({"bootstrap.servers": trail.bootstrap, "linger.ms": 50, "batch.num.messages": 10_000})
    for number, value in enumerate(_values()):
        producer.produce(trail.topic, value, partition=number % 6)
        if number % 50_000 == 0:
            producer.flush()
    producer.flush()
    try:
        proxy.fault = lambda body: Reply(503, b"{}")
        sink = start(ELASTICSEARCH_URL=proxy.url)
        eventually(lambda: sink.metric("indexing_paused_partitions") == 6, "paused partitions")
        proxy.fault = None
        eventually(lambda: sink.metric("indexing_operations_done_total") >= 100_000, "a tenth of it as documents")

        assert sink.peak_megabytes < _MOST_MEGABYTES
    finally:
        admin = AdminClient({"bootstrap.servers": trail.bootstrap})
        admin.delete_topics([trail.topic])[trail.topic].result()


def test_events_of_the_largest_size_take_less_than_300_megabytes(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    trail.produce(event(number, query="x" * 500_000) for number in range(400))
    proxy.fault = lambda body: Reply(503, b"{}")
    sink = start(ELASTICSEARCH_URL=proxy.url)
    eventually(lambda: sink.metric("indexing_paused_partitions") == 6, "paused partitions")
    proxy.fault = None
    eventually(trail.all_indexed, "every event as a document")

    assert sink.peak_megabytes < _MOST_MEGABYTES
