"""A translator or an Elasticsearch that is slow, hangs up or stays away: what the gateway does about it."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3
from django.test import Client
from pytest_django import Settings

from gateway.http.circuit_breaker import FAILURES
from tests.support.faulty_proxy import FaultyProxy, in_front_of
from tests.support.gateway import (
    AUTHORIZATION,
    Backing,
    FindEvent,
    Search,
    configure,
    configured_gateway,
    translator_process,
)


@pytest.fixture(params=["translator", "Elasticsearch"])
def dependency(request: pytest.FixtureRequest, stack: Settings) -> Iterator[FaultyProxy]:
    """A faulty one of each."""
    if request.param == "translator":
        with in_front_of(stack.GATEWAY.translator_url) as proxy:
            configure(stack, translator_url=proxy.url)
            yield proxy
    else:
        with in_front_of(stack.ELASTICSEARCH.url) as proxy:
            stack.ELASTICSEARCH = stack.ELASTICSEARCH.model_copy(update={"url": proxy.url})
            yield proxy


def test_a_connection_that_is_dropped_is_tried_once_more(search: Search, dependency: FaultyProxy) -> None:
    dependency.drops = 1
    assert search("Hostname = octoxlabs01").json()["count"] == 1
    assert dependency.requests == 2


def test_a_dependency_that_keeps_hanging_up_is_tried_no_more_than_that(search: Search, dependency: FaultyProxy) -> None:
    dependency.drops = 2
    assert search("Hostname = octoxlabs01").status_code == 503
    assert dependency.requests == 2


def test_a_slow_dependency_gets_no_more_time_than_the_request_has_left(
    search: Search, stack: Settings, dependency: FaultyProxy, find_event: FindEvent
) -> None:
    configure(stack, request_timeout=0.5)
    dependency.held.clear()
    response = search("Hostname = octoxlabs01")
    problem = response.json()
    assert (problem["status"], problem["code"]) == (503, "deadline")
    assert int(response["Retry-After"]) > 0
    event = find_event(problem["query_id"])
    assert event is not None
    assert event["data"]["error"]["code"] == "deadline"


def test_an_answer_that_drips_is_given_up_as_one_that_does_not_come(
    search: Search, stack: Settings, dependency: FaultyProxy
) -> None:
    configure(stack, translator_timeout=0.5, search_timeout=0.5)
    dependency.drips = True
    started = time.monotonic()
    response = search("Hostname = octoxlabs01")
    assert time.monotonic() - started < 3
    assert response.status_code == 503
    assert response.json()["code"] in ("translator_unavailable", "search_unavailable")
    dependency.drips = False
    assert search("Hostname = octoxlabs01").status_code == 200


def test_a_dependency_that_stays_away_is_left_alone_and_searches_are_refused_at_once(
    search: Search, dependency: FaultyProxy, find_event: FindEvent
) -> None:
    dependency.drops = 2 * FAILURES
    for _ in range(FAILURES):
        assert search("Hostname = octoxlabs01").status_code == 503
    asked = dependency.requests
    response = search("Hostname = octoxlabs01")
    assert (response.status_code, dependency.requests) == (503, asked)
    assert "left alone" in response.json()["detail"]
    assert find_event(response.json()["query_id"]) is not None


def test_rejected_queries_do_not_count_as_faults(search: Search, dependency: FaultyProxy) -> None:
    for _ in range(FAILURES + 1):
        assert search("Hostname =").status_code == 400
    assert search("Hostname = octoxlabs01").status_code == 200
    assert dependency.requests > 0


def test_searches_that_take_too_long_do_not_count_as_faults_while_a_cheap_question_is_answered(
    search: Search, stack: Settings
) -> None:
    budget = stack.GATEWAY.search_timeout
    with in_front_of(stack.ELASTICSEARCH.url) as proxy:
        stack.ELASTICSEARCH = stack.ELASTICSEARCH.model_copy(update={"url": proxy.url})
        configure(stack, search_timeout=0.2)
        proxy.held_paths = "/devices"
        proxy.held.clear()
        for _ in range(FAILURES + 1):
            assert "did not answer within 0.2 s" in search("Hostname = octoxlabs01").json()["detail"]
        proxy.held.set()
        configure(stack, search_timeout=budget)
        assert search("Hostname = octoxlabs01").status_code == 200


def test_an_elasticsearch_that_answers_nothing_is_left_alone(
    search: Search, stack: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.search.elasticsearch._PROBE_SECONDS", 0.2)
    with in_front_of(stack.ELASTICSEARCH.url) as proxy:
        stack.ELASTICSEARCH = stack.ELASTICSEARCH.model_copy(update={"url": proxy.url})
        configure(stack, search_timeout=0.2)
        proxy.held.clear()
        for _ in range(FAILURES):
            assert "did not answer within 0.2 s" in search("Hostname = octoxlabs01").json()["detail"]
        asked = proxy.requests
        response = search("Hostname = octoxlabs01")
        assert (response.status_code, response.json()["code"]) == (503, "search_unavailable")
        assert "left alone" in response.json()["detail"]
        assert proxy.requests == asked


def test_an_answer_that_is_too_large_is_a_problem_and_no_fault(
    search: Search, stack: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_front_of(stack.ELASTICSEARCH.url) as proxy:
        stack.ELASTICSEARCH = stack.ELASTICSEARCH.model_copy(update={"url": proxy.url})
        monkeypatch.setattr("elastic.exchange.MAX_ANSWER_BYTES", 1_500)
        for _ in range(FAILURES + 1):
            response = search("Hostname = octoxlabs*", size=10)
            assert (response.status_code, response.json()["code"]) == (400, "too_complex")
        assert search("Hostname = octoxlabs01", fields=["Hostname"]).json()["count"] == 1


def test_answers_that_cannot_be_read_do_not_count_as_faults(search: Search, stack: Settings) -> None:
    with in_front_of(stack.ELASTICSEARCH.url) as proxy:
        stack.ELASTICSEARCH = stack.ELASTICSEARCH.model_copy(update={"url": proxy.url})
        proxy.garbled = FAILURES + 1
        for _ in range(FAILURES + 1):
            response = search("Hostname = octoxlabs01")
            assert (response.status_code, response.json()["code"]) == (503, "search_unavailable")
            assert "cannot be read" in response.json()["detail"]
        assert search("Hostname = octoxlabs01").status_code == 200


def test_readiness_asks_a_dependency_that_is_left_alone(
    search: Search, dependency: FaultyProxy, client: Client
) -> None:
    dependency.drops = 2 * FAILURES
    while dependency.drops:
        search("Hostname = octoxlabs01")
    assert client.get("/readyz").status_code == 200


def test_readiness_is_probed_once_for_all_who_ask_at_once(client: Client, dependency: FaultyProxy) -> None:
    assert {client.get("/readyz").status_code for _ in range(10)} == {200}
    assert 0 < dependency.requests < 10


def test_a_change_of_readiness_is_one_line_in_the_log(
    client: Client, dependency: FaultyProxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.health.KEPT_SECONDS", 0.0)
    with caplog.at_level(logging.INFO, "gateway.health"):
        client.get("/readyz")
        caplog.clear()
        dependency.drops = 1_000
        assert {client.get("/readyz").status_code for _ in range(3)} == {503}
        dependency.drops = 0
        assert {client.get("/readyz").status_code for _ in range(3)} == {200}
        lines = [record.getMessage() for record in caplog.records if record.name == "gateway.health"]
    down, up = lines
    assert down.startswith("not ready: ")
    assert down.count("\n") == down.count("127.0.0.1") == 0
    assert up.startswith("ready again: ")


def test_names_that_cannot_be_looked_up_now_do_not_shut_the_translator_out(backing: Backing, tmp_path: Path) -> None:
    with (
        in_front_of(backing.elasticsearch_url) as proxy,
        translator_process(proxy.url) as translator_url,
        ThreadPoolExecutor(2 * FAILURES) as pool,
    ):
        gateway = configured_gateway(
            tmp_path, backing, GATEWAY_TRANSLATOR_URL=translator_url, GATEWAY_TRANSLATOR_TIMEOUT="0.5"
        )

        def translate(query: str) -> tuple[int, str]:
            response = urllib3.request(
                "POST", f"{gateway.url}/translate", json={"query": query}, headers=AUTHORIZATION, retries=False
            )
            return response.status, response.json().get("detail", "")

        with gateway.started():
            assert translate("Hostname = octoxlabs01")[0] == 200
            proxy.held.clear()
            mistyped = list(pool.map(translate, ["Hostnme = octoxlabs01"] * 2 * FAILURES))
            assert not [detail for _, detail in mistyped if "left alone" in detail]
            assert translate("Hostname = octoxlabs01")[0] == 200


def test_a_question_that_the_translator_does_not_answer_in_time_is_one_persons_problem(
    search: Search, stack: Settings
) -> None:
    with in_front_of(stack.GATEWAY.translator_url) as proxy:
        budget = stack.GATEWAY.translator_timeout
        configure(stack, translator_url=proxy.url, translator_timeout=0.2)
        proxy.held_paths = "/translate"
        proxy.held.clear()
        for _ in range(FAILURES + 1):
            problem = search("Hostname = octoxlabs01").json()
            assert (problem["code"], problem["detail"]) == (
                "translator_unavailable",
                "The translator did not answer within 0.2 s; try again.",
            )
        proxy.held.set()
        configure(stack, translator_timeout=budget)
        assert search("Hostname = octoxlabs01").status_code == 200


def test_a_translator_that_answers_nothing_is_left_alone(
    search: Search, stack: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.search.translator_client._PROBE_SECONDS", 0.2)
    with in_front_of(stack.GATEWAY.translator_url) as proxy:
        configure(stack, translator_url=proxy.url, translator_timeout=0.2)
        proxy.held.clear()
        for _ in range(FAILURES):
            assert "did not answer within 0.2 s" in search("Hostname = octoxlabs01").json()["detail"]
        assert "left alone" in search("Hostname = octoxlabs01").json()["detail"]
