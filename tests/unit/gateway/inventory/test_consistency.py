"""Tokens of writes, and searches that wait for them."""

from typing import Any

import pytest
from django.test import RequestFactory

from gateway.http.problems import Code, Problem
from gateway.inventory import consistency
from gateway.inventory.consistency import TOKEN, read_wait, wait_for_change
from gateway.inventory.models import Change, RelayState
from gateway.inventory.rebuild import begin_all
from gateway.inventory.repair import published_before
from tests.unit.gateway.inventory.conftest import Ask

HAMMER = {"sku": "A-1", "name": "Hammer", "price": 10.5}


class _Cluster:  # pylint: disable=too-few-public-methods  # it answers
    """Elasticsearch with the progress that a test sets."""

    def __init__(self) -> None:
        self.progress: dict[int, int] = {}
        self.asked: list[str] = []

    def perform(self, method: str, target: str, body: Any = None) -> Any:
        """Answer with the progress."""
        del method, body
        self.asked.append(target.partition("?")[0])
        sources = [{"partition": partition, "offset": offset} for partition, offset in self.progress.items()]
        return {"docs": [{"_source": source} for source in sources]}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> _Cluster:
    """The cluster as the tokens see it."""
    found = _Cluster()
    monkeypatch.setattr(consistency, "perform", found.perform)
    monkeypatch.setattr(consistency, "WAIT_SECONDS", 0)
    return found


def _wait(token: str, prefer: str = "wait=0") -> None:
    request: Any = RequestFactory().get("/search", headers={TOKEN: token, "Prefer": prefer})
    wait_for_change(request, "products")


def _publish(token: str, topic_id: str, positions: dict[str, int]) -> None:
    Change.objects.filter(change_id=token).update(feed=1, partition=1, offset=6)
    RelayState.objects.update_or_create(pk=1, defaults={"last_feed": 1, "topic_id": topic_id, "positions": positions})


def test_each_change_is_answered_with_a_token_and_what_changes_nothing_is_not(ask: Ask) -> None:
    created = ask("PUT", "/inventory/product/A-1", HAMMER)
    assert created[TOKEN] == str(Change.objects.get().change_id)
    assert TOKEN not in ask("PUT", "/inventory/product/A-1", HAMMER, If_Match='"1"')
    deleted = ask("DELETE", "/inventory/product/A-1", If_Match='"1"')
    assert deleted[TOKEN] == str(Change.objects.get(op="delete").change_id)
    lines = b'{"sku":"B-1","name":"Saw"}\n{"sku":"B-2","name":"Axe"}\n'
    imported = ask("POST", "/inventory/product/import", lines, media_type="application/x-ndjson")
    assert len(list(imported.streaming_content)) > 0
    imported.close()
    assert imported[TOKEN] == str(Change.objects.get(document_id="B-2").change_id)


def test_a_search_waits_until_everything_published_by_then_is_indexed(ask: Ask, cluster: _Cluster) -> None:
    token = ask("PUT", "/inventory/product/A-1", HAMMER)[TOKEN]
    with pytest.raises(Problem) as behind:
        _wait(token)
    assert (behind.value.code, behind.value.status) == (Code.INDEX_BEHIND, 503)
    assert cluster.asked == []
    _publish(token, "topic-1", {"1": 7, "4": 2})
    cluster.progress = {1: 7, 4: 1}
    with pytest.raises(Problem):
        _wait(token)
    cluster.progress = {1: 7, 4: 2}
    _wait(token)
    assert cluster.asked[-2:] == ["/inventory-progress/_mget", "/products/_refresh"]


def test_a_search_that_waits_asks_the_database_once_a_look(
    ask: Ask, cluster: _Cluster, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = ask("PUT", "/inventory/product/A-1", HAMMER)[TOKEN]
    _publish(token, "topic-1", {"1": 7})
    cluster.progress = {1: 7}
    RelayState.objects.update(last_feed=0)
    looks = [0, 0, 1]
    monkeypatch.setattr(consistency, "_pause", lambda *_: RelayState.objects.update(last_feed=looks.pop(0)))
    # The change, and four looks at the relay, with this test's three updates between them.
    with django_assert_num_queries(1 + 4 + 3):
        _wait(token)


@pytest.mark.parametrize("token", ["", "no id", "0192f5a3-7c1e-7b4a-9d2f-000000000001"])
def test_a_token_of_no_change_is_malformed(ask: Ask, cluster: _Cluster, token: str) -> None:
    del ask, cluster
    with pytest.raises(Problem) as refused:
        _wait(token)
    assert refused.value.code is Code.MALFORMED
    assert TOKEN in refused.value.detail


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [("", 2), ("wait=5", 5), ("return=minimal, wait=7", 7), ("wait=999999", 10), ("wait=soon", 2), ("await=5", 2)],
)
def test_the_wait_is_what_is_preferred_within_its_limit(prefer: str, seconds: int) -> None:
    assert read_wait(prefer) == seconds


def test_a_search_waits_until_the_relay_has_looked_at_the_topic_again(ask: Ask, cluster: _Cluster) -> None:
    token = ask("PUT", "/inventory/product/A-1", HAMMER)[TOKEN]
    _publish(token, "topic-1", {"1": 7})
    begin_all()
    with pytest.raises(Problem) as behind:
        _wait(token)
    assert behind.value.code is Code.INDEX_BEHIND
    assert cluster.asked == []


def test_a_comparison_waits_until_the_relay_has_looked_at_the_topic_again(ask: Ask) -> None:
    token = ask("PUT", "/inventory/product/A-1", HAMMER)[TOKEN]
    _publish(token, "topic-1", {"1": 7})
    assert published_before(1) == {1: 7}
    assert published_before(2) is None
    begin_all()
    assert published_before(1) is None
