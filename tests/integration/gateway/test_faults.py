"""What a caller is told while something behind the gateway is down."""

import logging
import time
from typing import Any

import pytest
from confluent_kafka import KafkaError
from django.test import Client
from pytest_django import Settings

from audit_sink.kafka import KafkaSettings, TopicSettings
from elastic.settings import ElasticsearchSettings
from gateway.audit import audit_trail
from tests.integration.gateway.conftest import Backing, FindEvent, Search


def _is_unavailable(response: Any, code: str) -> bool:
    assert response["Content-Type"] == "application/problem+json"
    assert int(response["Retry-After"]) > 0
    return (response.status_code, response.json()["code"]) == (503, code)


def _kafka_down(stack: Settings, closed_port: int) -> None:
    stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 1.0})


def test_without_kafka_nothing_is_answered(search: Search, stack: Settings, closed_port: int) -> None:
    _kafka_down(stack, closed_port)
    started = time.monotonic()
    assert _is_unavailable(search("Hostname = octoxlabs*"), "audit_unavailable")
    assert _is_unavailable(search("Hostname ="), "audit_unavailable")
    assert time.monotonic() - started < 10


def test_a_broker_that_stays_away_does_not_flood_the_log(
    search: Search, stack: Settings, closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    _kafka_down(stack, closed_port)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            search("Hostname = octoxlabs*")
    assert len(caplog.records) < 30


def test_a_missing_topic_is_an_unavailable_trail(search: Search, stack: Settings) -> None:
    stack.AUDIT = TopicSettings(topic="nobody-made-this")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 1.0})
    assert _is_unavailable(search(), "audit_unavailable")


def test_without_the_translator_a_search_is_unavailable(search: Search, stack: Settings, closed_port: int) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"translator_url": f"http://127.0.0.1:{closed_port}"})
    assert _is_unavailable(search(), "translator_unavailable")


def test_something_else_in_the_translators_place_is_no_translator(
    search: Search, stack: Settings, backing: Backing
) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"translator_url": backing.elasticsearch_url})
    assert _is_unavailable(search(), "translator_unavailable")


def test_without_elasticsearch_a_search_is_unavailable(search: Search, stack: Settings, closed_port: int) -> None:
    stack.ELASTICSEARCH = ElasticsearchSettings(url=f"http://127.0.0.1:{closed_port}")
    assert _is_unavailable(search(), "search_unavailable")


def test_an_elasticsearch_that_takes_too_long_is_given_up(search: Search, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"search_timeout": 0.0001})
    response = search()
    assert _is_unavailable(response, "search_unavailable")


def test_a_producer_that_cannot_go_on_is_replaced(search: Search, stack: Settings, find_event: FindEvent) -> None:
    del stack
    broken = audit_trail()
    broken.on_error(KafkaError(KafkaError.INVALID_PRODUCER_EPOCH, "fenced", fatal=True))
    assert find_event(search().json()["query_id"]) is not None
    assert audit_trail() is not broken


def test_each_dependency_that_is_down_is_named(stack: Settings, client: Client, closed_port: int) -> None:
    up = {"database": "up", "elasticsearch": "up", "kafka": "up", "translator": "up"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "dependencies": up})

    _kafka_down(stack, closed_port)
    stack.ELASTICSEARCH = ElasticsearchSettings(url=f"http://127.0.0.1:{closed_port}")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"translator_url": f"http://127.0.0.1:{closed_port}"})
    unready = client.get("/readyz")
    assert unready.status_code == 503
    down = {"database": "up", "elasticsearch": "down", "kafka": "down", "translator": "down"}
    assert unready.json() == {"status": "unready", "dependencies": down}
    assert client.get("/healthz").status_code == 200
