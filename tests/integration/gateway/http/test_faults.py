"""Answers to a caller while a dependency of the gateway is down."""

import logging
import time
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from contracts.query_event.topics import TopicSettings
from elastic.settings import ElasticsearchSettings
from gateway.audit.delivery import event_delivery
from gateway.audit.spool_format import MAX_FRAME_BYTES
from kit.kafka import KafkaSettings
from tests.support.gateway import Backing, Search


def _is_unavailable(response: Any, code: str) -> bool:
    assert response["Content-Type"] == "application/problem+json"
    assert int(response["Retry-After"]) > 0
    return (response.status_code, response.json()["code"]) == (503, code)


def _kafka_down(stack: Settings, closed_port: int) -> None:
    stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 0.5})


def _disk_full(stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"spool_bytes": 1})


def test_without_kafka_searches_are_answered_once_the_disk_has_their_events(
    search: Search, stack: Settings, closed_port: int
) -> None:
    _kafka_down(stack, closed_port)
    started = time.monotonic()
    assert search("Hostname = octoxlabs*").status_code == 200
    assert search("Hostname =").status_code == 400
    assert time.monotonic() - started < 10
    assert event_delivery().spool.records == 2


def test_without_kafka_and_disk_nothing_is_answered(search: Search, stack: Settings, closed_port: int) -> None:
    _kafka_down(stack, closed_port)
    _disk_full(stack)
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


def test_a_missing_topic_is_as_a_kafka_that_is_away(search: Search, stack: Settings) -> None:
    stack.AUDIT = TopicSettings(topic="nobody-made-this")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 0.5})
    assert search().status_code == 200
    assert event_delivery().spool.records == 1
    _disk_full(stack)
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


def test_kafka_alone_may_be_down_while_the_disk_has_room(stack: Settings, client: Client, closed_port: int) -> None:
    empty = {"records": 0, "bytes": 0}
    dependencies = {"database": "up", "elasticsearch": "up", "kafka": "up", "translator": "up"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "dependencies": dependencies, "spool": empty},
    )

    _kafka_down(stack, closed_port)
    degraded = client.get("/readyz")
    assert (degraded.status_code, degraded.json()) == (
        200,
        {"status": "degraded", "dependencies": dependencies | {"kafka": "down"}, "spool": empty},
    )

    stack.GATEWAY = stack.GATEWAY.model_copy(update={"spool_bytes": 0})
    unready = client.get("/readyz")
    assert (unready.status_code, unready.json()["status"]) == (503, "unready")


def test_a_gateway_whose_spool_has_no_room_is_not_ready_even_if_kafka_answers(stack: Settings, client: Client) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"spool_bytes": MAX_FRAME_BYTES - 1})
    unready = client.get("/readyz")
    assert (unready.status_code, unready.json()["status"]) == (503, "unready")
    assert unready.json()["dependencies"]["kafka"] == "up"


def test_each_dependency_that_is_down_is_named(stack: Settings, client: Client, closed_port: int) -> None:
    stack.ELASTICSEARCH = ElasticsearchSettings(url=f"http://127.0.0.1:{closed_port}")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"translator_url": f"http://127.0.0.1:{closed_port}"})
    unready = client.get("/readyz")
    assert unready.status_code == 503
    assert unready.json()["status"] == "unready"
    assert unready.json()["dependencies"] == {
        "database": "up",
        "elasticsearch": "down",
        "kafka": "up",
        "translator": "down",
    }
    assert client.get("/healthz").status_code == 200
