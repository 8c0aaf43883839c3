"""What the tests of the sink share: a trail of the test's own, a faulty Elasticsearch, the sink as a process."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from elasticsearch import Elasticsearch

from elastic.bootstrap import bootstrap
from tests.support.faulty_proxy import serving
from tests.support.sink import TRAILS, FaultyElasticsearch, SinkProcess, Start, Trail


@pytest.fixture(name="client", scope="session")
def fixture_client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """Elasticsearch, with its index templates."""
    with Elasticsearch(elasticsearch_url, max_retries=0) as client:
        bootstrap(client)
        yield client


@pytest.fixture(name="producer", scope="module")
def fixture_producer(kafka_bootstrap: str) -> Producer:
    """One that stands for the gateway's."""
    return Producer({"bootstrap.servers": kafka_bootstrap, "enable.idempotence": True, "linger.ms": 5})


@pytest.fixture(name="trail")
def fixture_trail(
    request: pytest.FixtureRequest,
    kafka_bootstrap: str,
    elasticsearch_url: str,
    client: Elasticsearch,
    producer: Producer,
) -> Iterator[Trail]:
    """Topics and indices of the test's own; of the consumer that the test's parameter names, or of the audit sink."""
    kind = TRAILS[getattr(request, "param", "audit")]
    trail = kind(kafka_bootstrap, elasticsearch_url, uuid4().hex[:12], client, producer)
    trail.create_topics()
    yield trail
    for index in client.indices.get(index=trail.indices):
        client.indices.delete(index=index)


@pytest.fixture(name="proxy")
def fixture_proxy(elasticsearch_url: str) -> Iterator[FaultyElasticsearch]:
    """Elasticsearch, but faulty; without a fault until one is set."""
    with serving(FaultyElasticsearch(elasticsearch_url)) as proxy:
        yield proxy


@pytest.fixture(name="start")
def fixture_start(trail: Trail, tmp_path: Path) -> Iterator[Start]:
    """Starts sinks on the trail, with variables of their own; ends those that still run after the test."""
    started: list[SinkProcess] = []

    def start(**variables: str) -> SinkProcess:
        started.append(SinkProcess(trail, tmp_path / f"sink-{len(started) + 1}.log", **variables))
        return started[-1]

    yield start
    for sink in started:
        if sink.is_running:
            sink.kill()
