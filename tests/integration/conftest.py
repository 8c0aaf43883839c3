"""Parts of the tests of consumers: a trail of the test's own, a faulty Elasticsearch, consumers as processes."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from elasticsearch import Elasticsearch

from elastic.bootstrap import bootstrap
from tests.support.consumer_process import ConsumerProcess, Start
from tests.support.faulty_elasticsearch import FaultyElasticsearch
from tests.support.faulty_proxy import serving
from tests.support.trail import INVENTORY_TEMPLATE, TRAILS, NewTrail, Trail


@pytest.fixture(scope="session")
def cluster(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """Elasticsearch, with the index templates of each consumer."""
    with Elasticsearch(elasticsearch_url, max_retries=0) as client:
        bootstrap(client)
        client.indices.put_index_template(name="things", **INVENTORY_TEMPLATE)
        yield client


@pytest.fixture(scope="module")
def producer(kafka_bootstrap: str) -> Producer:
    """A producer that stands for the gateway's."""
    return Producer({"bootstrap.servers": kafka_bootstrap, "enable.idempotence": True, "linger.ms": 5})


@pytest.fixture
def new_trail(
    kafka_bootstrap: str, elasticsearch_url: str, cluster: Elasticsearch, producer: Producer
) -> Iterator[NewTrail]:
    """Make topics and indices of the test's own, for a consumer of this name."""
    made: list[Trail] = []

    def make(consumer: str) -> Trail:
        trail = TRAILS[consumer](kafka_bootstrap, elasticsearch_url, uuid4().hex[:12], cluster, producer)
        trail.create_topics()
        made.append(trail)
        return trail

    yield make
    for trail in made:
        for index in cluster.indices.get(index=trail.indices):
            cluster.indices.delete(index=index)


@pytest.fixture
def proxy(elasticsearch_url: str) -> Iterator[FaultyElasticsearch]:
    """Elasticsearch, but faulty; without a fault until one is set."""
    with serving(FaultyElasticsearch(elasticsearch_url)) as faulty:
        yield faulty


@pytest.fixture
def start(trail: Trail, tmp_path: Path) -> Iterator[Start]:
    """Start consumers on the trail, with variables of their own; they are ended after the test."""
    started: list[ConsumerProcess] = []

    def begin(**variables: str) -> ConsumerProcess:
        started.append(ConsumerProcess(trail, tmp_path / f"sink-{len(started) + 1}.log", **variables))
        return started[-1]

    yield begin
    for sink in started:
        sink.kill()
