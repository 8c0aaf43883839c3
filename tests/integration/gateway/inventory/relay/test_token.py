"""A search with the token of a write finds what was written."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import RequestFactory

from gateway.http.correlation import Correlation, correlated
from gateway.http.problems import Code, Problem
from gateway.inventory import progress
from gateway.inventory.consistency import TOKEN, wait_for_change
from gateway.inventory.models import RelayState
from gateway.search.elasticsearch import perform
from tests.support.consumer_process import Start
from tests.support.inventory import patch, put
from tests.support.inventory_stack import THING, InventoryStack, publish_all
from tests.support.waiting import WAIT_SECONDS

READERS = 20


def wait(stack: InventoryStack, token: object, seconds: int = 10) -> None:
    """Wait as a search does."""
    request: Any = RequestFactory().get("/search", headers={TOKEN: str(token), "Prefer": f"wait={seconds}"})
    with correlated(Correlation("r1", None, None)):
        wait_for_change(request, stack.alias)


def found(stack: InventoryStack) -> dict[str, int]:
    """Documents that a search finds, without a refresh."""
    hits = stack.client.search(index=stack.alias, size=1000, version=True)["hits"]["hits"]
    return {hit["_id"]: hit["_version"] for hit in hits}


def test_each_of_many_writes_is_found_by_its_token(stack: InventoryStack, start: Start) -> None:
    start()
    relay = stack.relay()
    for number in range(20):
        written = (
            put(f"{THING}/d{number % 10}", {"name": str(number)})
            if number < 10
            else patch(f"{THING}/d{number % 10}", {"name": str(number)})
        )
        relay.turn()
        assert written.change_id is not None
        wait(stack, written.change_id)
        assert found(stack)[f"d{number % 10}"] == written.version


def test_a_refused_document_keeps_nobody_waiting_and_an_indexer_that_is_down_does(
    stack: InventoryStack, start: Start
) -> None:
    relay = stack.relay()
    stack.declare(THING, {"name": {"type": "string"}}, mapping={"properties": {"name": {"type": "long"}}})
    bad = put(f"{THING}/bad", {"name": "no number"})
    publish_all(relay)
    assert bad.change_id is not None
    with pytest.raises(Problem) as behind:
        wait(stack, bad.change_id, 0)
    assert behind.value.code is Code.INDEX_BEHIND
    start()
    wait(stack, bad.change_id)
    assert found(stack) == {}


def test_progress_of_a_topic_that_is_gone_counts_for_nothing(stack: InventoryStack, start: Start) -> None:
    indexer = start()
    relay = stack.relay()
    first = put(f"{THING}/first", {"name": "first"})
    publish_all(relay)
    assert first.change_id is not None
    wait(stack, first.change_id)
    indexer.stop()
    RelayState.objects.update(topic_id="another")
    with pytest.raises(Problem):
        wait(stack, first.change_id, 0)


@pytest.fixture
def refreshes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The refreshes that are asked for; the first one lasts until all readers are about to ask for one."""
    asked: list[str] = []
    there, all_are_there = itertools.count(1), threading.Event()
    covers = progress.covers

    def arrive(*what: Any) -> bool:
        if next(there) == READERS:
            all_are_there.set()
        return covers(*what)

    def note(method: str, path: str, *body: Any) -> Any:
        if path.endswith("/_refresh"):
            asked.append(path)
            assert all_are_there.wait(WAIT_SECONDS)
        return perform(method, path, *body)

    monkeypatch.setattr("gateway.inventory.consistency.progress.covers", arrive)
    monkeypatch.setattr("gateway.inventory.consistency.perform", note)
    return asked


def test_those_who_wait_at_once_ask_elasticsearch_once(
    stack: InventoryStack, start: Start, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    start()
    relay = stack.relay()
    written = put(f"{THING}/d", {"name": "d"})
    publish_all(relay)
    assert written.change_id is not None
    wait(stack, written.change_id)
    topic_id, positions = RelayState.objects.values_list("topic_id", "positions").get()
    ends = (topic_id, {int(partition): offset for partition, offset in positions.items()})
    # The test's database is one connection's.
    monkeypatch.setattr("gateway.inventory.consistency._feed", lambda _: 1)
    monkeypatch.setattr("gateway.inventory.consistency._published", lambda _: ends)
    refreshes: list[str] = request.getfixturevalue("refreshes")
    with ThreadPoolExecutor(READERS) as readers:
        for each in [readers.submit(wait, stack, written.change_id) for _ in range(READERS)]:
            each.result()
    # One is the first reader's, one all others', and one perhaps theirs who were about to ask.
    assert 2 <= len(refreshes) <= 3
