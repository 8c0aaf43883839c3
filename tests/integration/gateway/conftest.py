"""The gateway on real servers: an inventory of its own, a topic of its own, and a translator process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from django.test import Client
from elasticsearch.helpers import bulk
from pytest_django import Settings

from contracts.query_event.topics import TopicSettings
from elastic.bootstrap import bootstrap
from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from gateway.identity.models import User
from kit.kafka import KafkaSettings
from local import ports
from tests.support import topic
from tests.support.demo_index import seed
from tests.support.gateway import (
    INDEX,
    MANY,
    MANY_DOCUMENTS,
    PARTITIONS,
    PATIENCE_SECONDS,
    TOPIC,
    Backing,
    FindEvent,
    FindEvents,
    Search,
    translator_process,
)
from tests.support.query_event import read_event


@pytest.fixture(scope="session")
def translator_url(elasticsearch_url: str) -> Iterator[str]:
    """A translator process."""
    with translator_process(elasticsearch_url) as url:  # pylint: disable=contextmanager-generator-missing-cleanup
        yield url


@pytest.fixture(scope="session")
def backing(kafka_bootstrap: str, elasticsearch_url: str, translator_url: str) -> Backing:
    """The real servers, with the demo inventory and the topic in place."""
    # A busy machine may take long to make an index.
    with connect(ElasticsearchSettings(url=elasticsearch_url), request_timeout=60.0) as client:
        bootstrap(client)
        seed(client, INDEX)
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for made in admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)]).values():
        made.result(PATIENCE_SECONDS)
    topic.wait_for_leaders(kafka_bootstrap, TOPIC, range(PARTITIONS))
    return Backing(kafka_bootstrap, elasticsearch_url, translator_url)


@pytest.fixture(scope="session")
def many(backing: Backing) -> str:
    """The name of an index of ``MANY_DOCUMENTS`` small documents, ``h00000`` and so on."""
    with connect(ElasticsearchSettings(url=backing.elasticsearch_url), request_timeout=60.0) as client:
        names = (f"h{number:05}" for number in range(MANY_DOCUMENTS))
        actions = ({"_index": MANY, "_id": name, "Hostname": name, "Site": name[-1]} for name in names)
        bulk(client, actions, chunk_size=5_000, refresh=True)
    return MANY


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nothing listens on."""
    return ports.free(1)[0]


@pytest.fixture(scope="session")
def spool_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this process's trails have their spools; they live as long as it does."""
    return tmp_path_factory.mktemp("spool")


@pytest.fixture
def stack(backing: Backing, settings: Settings, spool_dir: Path, db: None) -> Settings:
    """The gateway's settings, pointed at the real servers, and its one known user."""
    del db
    User.objects.create(username="octoAdmin")
    settings.KAFKA = KafkaSettings(bootstrap_servers=backing.kafka_bootstrap)
    settings.AUDIT = TopicSettings(topic=TOPIC)
    settings.ELASTICSEARCH = ElasticsearchSettings(url=backing.elasticsearch_url)
    settings.GATEWAY = settings.GATEWAY.model_copy(
        update={
            "unsigned_tokens": True,
            "search_indices": (INDEX, MANY, "not-there"),
            "translator_url": backing.translator_url,
            "audit_timeout": 20.0,
            "spool_dir": spool_dir,
            # All tests come from one address.
            "recorded_refusals": "100000/minute",
        }
    )
    return settings


@pytest.fixture
def search(stack: Settings, client: Client) -> Search:
    """``POST /search`` as octoAdmin."""
    del stack

    def post(query: Any = "", *, headers: dict[str, str] | None = None, **members: Any) -> Any:
        return client.post(
            "/search",
            {"query": query, **members},
            content_type="application/json",
            headers={"Authorization": "Octoxlabs b2N0b0FkbWlu", **(headers or {})},
        )

    return post


@pytest.fixture
def events(backing: Backing) -> Iterator[Callable[[], Iterator[dict[str, Any]]]]:
    """Reads the events on the topic: decoded, with the record's key and headers."""
    consumer = Consumer(
        {"bootstrap.servers": backing.kafka_bootstrap, "group.id": "gateway-tests", "enable.auto.commit": False}
    )

    def read() -> Iterator[dict[str, Any]]:
        starts = [TopicPartition(TOPIC, number, 0) for number in range(PARTITIONS)]
        unread = sum(consumer.get_watermark_offsets(start, timeout=PATIENCE_SECONDS)[1] for start in starts)
        consumer.assign(starts)
        for message in consumer.consume(unread, PATIENCE_SECONDS):
            assert message.error() is None
            yield {**read_event(message.value()), "key": message.key(), "headers": dict(message.headers() or [])}

    yield read
    consumer.close()


@pytest.fixture
def find_event(events: Callable[[], Iterator[dict[str, Any]]]) -> FindEvent:
    """Looks an event up by its id."""
    return lambda event_id: next((event for event in events() if event["event_id"] == event_id), None)


@pytest.fixture
def find_events(events: Callable[[], Iterator[dict[str, Any]]]) -> FindEvents:
    """Looks up every event of one request by its X-Request-ID."""
    return lambda request_id: [event for event in events() if event["metadata"]["request_id"] == request_id]
