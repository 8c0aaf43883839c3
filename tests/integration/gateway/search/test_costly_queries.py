"""One user's queries that cost too much: refused for that user, and no outage for anybody else."""

import base64
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
import urllib3
from elasticsearch import Elasticsearch

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from tests.support.gateway import Backing, FindEvent, Search, configured_gateway
from tests.support.waiting import eventually

Answer = tuple[int, str | None]

_CHEAP = "Hostname = octoxlabs01"
_PATTERN = "Hostname = *a*b*1"
# By Elasticsearch's count a search takes 1 KiB of its breaker's, and each pattern twelve and a half from the start.
_MEMORY = "12kb"
_A_SECOND = 8
_SECONDS = 8


@contextmanager
def _cluster_setting(elasticsearch_url: str, name: str, value: str) -> Iterator[None]:
    with connect(ElasticsearchSettings(url=elasticsearch_url)) as client:
        client.cluster.put_settings(persistent={name: value})
        try:
            yield
        finally:
            client.cluster.put_settings(persistent={name: None})


@pytest.fixture
def little_memory(backing: Backing) -> Iterator[None]:
    """An Elasticsearch without the memory for a pattern."""
    with _cluster_setting(backing.elasticsearch_url, "indices.breaker.request.limit", _MEMORY):
        yield


def _ask(url: str, user: str, query: str) -> Answer:
    headers = {
        "Authorization": f"Octoxlabs {base64.b64encode(user.encode()).decode()}",
        "Content-Type": "application/json",
    }
    body = orjson.dumps({"query": query})
    response = urllib3.request("POST", f"{url}/search", body=body, headers=headers, retries=False, timeout=60.0)
    return response.status, response.json().get("code")


def _load(url: str, costly: str) -> tuple[Counter[Answer], Counter[Answer]]:
    """Let one user ask what is costly and another what is not, and count the answers of both."""
    of_one: list[Future[Answer]] = []
    of_other: list[Future[Answer]] = []
    started = time.monotonic()
    with ThreadPoolExecutor(64) as pool:
        for number in range(_A_SECOND * _SECONDS):
            of_one.append(pool.submit(_ask, url, "octoAdmin", costly))
            if number % 2:
                of_other.append(pool.submit(_ask, url, "other", _CHEAP))
            time.sleep(max(0.0, started + (number + 1) / _A_SECOND - time.monotonic()))
    return Counter(each.result() for each in of_one), Counter(each.result() for each in of_other)


@pytest.mark.usefixtures("little_memory")
def test_queries_that_elasticsearch_has_no_memory_for_fail_no_others(backing: Backing, tmp_path: Path) -> None:
    gateway = configured_gateway(tmp_path, backing)
    gateway.run("user", "other")
    with gateway.started():
        of_one, of_other = _load(gateway.url, _PATTERN)
    assert set(of_one) == {(400, "too_complex")}
    assert set(of_other) == {(200, None)}


def test_patterns_that_cost_too_much_are_refused_before_elasticsearch_is_asked(
    backing: Backing, tmp_path: Path
) -> None:
    costly = " OR ".join(f"Hostname = *a??????????{number}*N" for number in range(100))
    gateway = configured_gateway(tmp_path, backing)
    gateway.run("user", "other")
    with connect(ElasticsearchSettings(url=backing.elasticsearch_url)) as client:
        trips = _trips(client)
        with gateway.started():
            of_one, of_other = _load(gateway.url, costly)
        assert _trips(client) == trips
    assert set(of_one) == {(400, "too_complex")}
    assert set(of_other) == {(200, None)}


@pytest.mark.usefixtures("little_memory")
def test_a_query_without_memory_says_what_to_do_and_is_on_the_trail(search: Search, find_event: FindEvent) -> None:
    problem = search(_PATTERN).json()
    assert (problem["status"], problem["code"]) == (400, "too_complex")
    assert "fewer or simpler patterns" in problem["detail"]
    event = find_event(problem["query_id"])
    assert event is not None
    assert (event["event_type"], event["data"]["error"]["code"]) == ("query.rejected", "too_complex")


def test_a_search_waits_a_moment_for_memory_that_others_hold(
    search: Search, backing: Backing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.search.elasticsearch._MEMORY_SECONDS", 20.0)
    with connect(ElasticsearchSettings(url=backing.elasticsearch_url)) as client, ThreadPoolExecutor(1) as pool:
        limit = _cluster_setting(backing.elasticsearch_url, "indices.breaker.request.limit", _MEMORY)
        limit.__enter__()
        trips = _trips(client)

        def give_back() -> None:
            try:
                eventually(lambda: _trips(client) > trips, "a trip of the breaker")
            finally:
                limit.__exit__(None, None, None)

        given_back = pool.submit(give_back)
        assert search(_PATTERN).status_code == 200
        given_back.result()


def _trips(client: Elasticsearch) -> int:
    """How often the memory breaker has refused anything."""
    nodes = client.nodes.stats(metric="breaker")["nodes"].values()
    return sum(int(node["breakers"]["request"]["tripped"]) for node in nodes)
