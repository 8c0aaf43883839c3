"""Watched searches on a real Elasticsearch and a real translator: what is told, and what is left out."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch
from pytest_django import Settings

from contracts.query_event.event import AuditEvent
from elastic.client import connect
from gateway.http.problems import Unavailable
from gateway.identity.models import User
from gateway.notify.models import Notification
from gateway.saved import watching
from gateway.saved.models import Kind, OutboxEvent, Saved, Share, Visibility, Watch
from tests.support.faulty_proxy import in_front_of

_INDEX = "devices-watched"
_NOW = datetime.now(UTC)
Turn = Callable[[], datetime]


@pytest.fixture
def index(stack: Settings) -> Iterator[Elasticsearch]:
    """An index with two devices in Ankara and one in Bursa, which every user may search."""
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"search_indices": (_INDEX,)})
    properties = {"Site": {"type": "keyword"}, "LastSeen": {"type": "date"}}
    with connect(stack.ELASTICSEARCH, request_timeout=60.0) as client:
        client.indices.create(index=_INDEX, mappings={"dynamic": "strict", "properties": properties})
        for number, site in enumerate(("Ankara", "Ankara", "Bursa")):
            _write(client, f"d{number}", site)
        yield client
        client.indices.delete(index=_INDEX)


def _write(client: Elasticsearch, number: str, site: str, seen: datetime = _NOW) -> None:
    client.index(index=_INDEX, id=number, document={"Site": site, "LastSeen": seen.isoformat()}, refresh=True)


def _watch(query: str = "Site = Ankara", user: str = "octoAdmin", index: str | None = _INDEX) -> Watch:
    owner = User.objects.get_or_create(username=user)[0]
    content: dict[str, Any] = {"query": query, "index": index, "columns": None, "sort": []}
    saved = Saved.objects.create(
        kind=Kind.SEARCH, owner=owner, title="Ankara", content=content, created_at=_NOW, updated_at=_NOW
    )
    return Watch.objects.create(saved=saved, user=owner, interval=300, next_at=_NOW)


@pytest.fixture
def turn(index: Elasticsearch) -> Turn:
    """Have the worker look at everything that is due, each time an interval later."""
    del index
    moments = (_NOW + timedelta(seconds=300 * number) for number in count())

    def look() -> datetime:
        now = next(moments)
        watching.turn(now, threading.Event())
        return now

    return look


def _told() -> list[dict[str, Any]]:
    rows = Notification.objects.order_by("number")
    return [{name: row.data[name] for name in ("new", "gone", "ids")} for row in rows]


def _events() -> list[AuditEvent]:
    rows = OutboxEvent.objects.order_by("pk").values_list("event", flat=True)
    return [msgspec.json.decode(row, type=AuditEvent) for row in rows]


def _searches(client: Elasticsearch) -> int:
    """How many searches the index has had; to ask for its state is one."""
    stats = client.indices.stats(index=_INDEX, metric="search")["indices"][_INDEX]["primaries"]["search"]
    return int(stats["fetch_total"])


def test_new_and_gone_documents_are_told_once(turn: Turn, index: Elasticsearch) -> None:
    watch = _watch()
    turn()
    assert _told() == [] and _events() == []
    _write(index, "d3", "Ankara")
    _write(index, "d4", "Bursa")
    index.delete(index=_INDEX, id="d0", refresh=True)
    turn()
    assert _told() == [{"new": 1, "gone": 1, "ids": ["d3"]}]
    turn()
    assert len(_told()) == 1
    # A document that comes to match by its change is new as well.
    _write(index, "d4", "Ankara")
    turn()
    assert _told()[1:] == [{"new": 1, "gone": 0, "ids": ["d4"]}]
    [row] = Notification.objects.filter(number=1)
    assert (row.kind, row.recipient.username, row.data["id"]) == ("watch.found", "octoAdmin", str(watch.saved_id))


def test_the_look_that_tells_something_is_an_event_and_others_are_none(turn: Turn, index: Elasticsearch) -> None:
    watch = _watch()
    turn()
    _write(index, "d3", "Ankara")
    turn()
    turn()
    [event] = _events()
    assert (event.event_type, event.user_id) == ("query.executed", "octoAdmin")
    assert (event.data.query, event.data.index, event.data.hits, event.data.status) == ("Site = Ankara", _INDEX, 3, 200)
    assert event.data.target is not None and event.data.target.id == str(watch.saved_id)
    assert event.metadata.auth_scheme == "watch"
    [row] = Notification.objects.all()
    assert row.source == event.event_id


def test_a_look_is_left_out_where_nothing_can_have_changed(turn: Turn, index: Elasticsearch) -> None:
    _watch()
    turn()
    assert _searches(index) == 2
    turn()
    turn()
    assert _searches(index) == 4
    # A write that is not visible yet has changed nothing yet, and is not missed once it is.
    index.index(index=_INDEX, id="d3", document={"Site": "Ankara"})
    turn()
    index.indices.refresh(index=_INDEX)
    now = turn()
    assert _told() == [{"new": 1, "gone": 0, "ids": ["d3"]}]
    assert Watch.objects.get().looked_at == now


def test_a_query_with_now_is_looked_at_though_the_index_has_not_changed(turn: Turn, index: Elasticsearch) -> None:
    _write(index, "d3", "Izmir", _NOW + timedelta(seconds=150))
    _watch("Site = Izmir and LastSeen < now")
    turn()
    turn()
    assert _told() == [{"new": 1, "gone": 0, "ids": ["d3"]}]


def test_another_query_begins_anew_and_tells_nothing(turn: Turn, index: Elasticsearch) -> None:
    watch = _watch()
    turn()
    watch.saved.content["query"] = "Site = Bursa"
    watch.saved.save()
    turn()
    assert _told() == []
    _write(index, "d3", "Bursa")
    turn()
    assert _told() == [{"new": 1, "gone": 0, "ids": ["d3"]}]


def test_a_watcher_is_told_nothing_that_they_may_not_search_at_that_moment(turn: Turn, index: Elasticsearch) -> None:
    watch = _watch()
    turn()
    User.objects.update(granted_indices=[])
    _write(index, "d3", "Ankara")
    turn()
    assert (_told(), Watch.objects.get().problem) == ([], f'You may not search the index "{_INDEX}".')
    User.objects.update(granted_indices=["*"])
    turn()
    assert (_told(), Watch.objects.get().problem) == ([{"new": 1, "gone": 0, "ids": ["d3"]}], "")
    User.objects.update(is_active=False)
    _write(index, "d4", "Ankara")
    turn()
    assert len(_told()) == 1
    del watch


def test_a_search_that_is_not_shared_any_more_is_not_looked_at(turn: Turn, index: Elasticsearch) -> None:
    watch = _watch()
    other = User.objects.create(username="ben")
    Saved.objects.update(visibility=Visibility.USERS)
    Share.objects.create(saved=watch.saved, user=other, role="viewer")
    Watch.objects.update(user=other)
    turn()
    Share.objects.all().delete()
    _write(index, "d3", "Ankara")
    turn()
    assert (_told(), Watch.objects.get().problem) == ([], "The search is not shared with you any more.")


@pytest.mark.parametrize("query", ["Site =", "Nothing = 1"])
def test_a_query_that_is_rejected_says_why_and_holds_nobody_up(turn: Turn, index: Elasticsearch, query: str) -> None:
    rejected, good = _watch(query), _watch()
    turn()
    _write(index, "d3", "Ankara")
    now = turn()
    rejected.refresh_from_db()
    assert rejected.problem and rejected.next_at > now
    assert [row.data["id"] for row in Notification.objects.all()] == [str(good.saved_id)]


def test_too_many_documents_are_not_watched(turn: Turn, index: Elasticsearch, monkeypatch: pytest.MonkeyPatch) -> None:
    del index
    monkeypatch.setattr(watching, "MAX_RESULT_WINDOW", 1)
    _watch()
    turn()
    assert Watch.objects.get().problem.startswith("The search finds more than 1 documents")


def test_a_server_that_is_missing_costs_time_and_no_notification(
    turn: Turn, index: Elasticsearch, stack: Settings, closed_port: int
) -> None:
    _watch()
    turn()
    _write(index, "d3", "Ankara")
    good = stack.GATEWAY
    stack.GATEWAY = good.model_copy(update={"translator_url": f"http://127.0.0.1:{closed_port}"})
    with pytest.raises(Unavailable):
        turn()
    assert _told() == [] and Watch.objects.get().problem == ""
    stack.GATEWAY = good
    turn()
    assert _told() == [{"new": 1, "gone": 0, "ids": ["d3"]}]


def test_a_search_that_takes_too_long_says_so_and_holds_nobody_up(
    turn: Turn, index: Elasticsearch, stack: Settings
) -> None:
    heavy = f"{_INDEX}-heavy"
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"search_indices": (_INDEX, heavy), "search_timeout": 1.0})
    index.indices.create(index=heavy, mappings={"properties": {"Site": {"type": "keyword"}}})
    slow, good = _watch(index=heavy), _watch()
    try:
        with in_front_of(stack.ELASTICSEARCH.url) as proxy:
            stack.ELASTICSEARCH = stack.ELASTICSEARCH.model_copy(update={"url": proxy.url})
            proxy.held_paths = f"/{heavy}"
            proxy.held.clear()
            turn()
            _write(index, "d3", "Ankara")
            now = turn()
            proxy.held.set()
    finally:
        index.indices.delete(index=heavy)
    assert [row.data["id"] for row in Notification.objects.all()] == [str(good.saved_id)]
    slow.refresh_from_db()
    assert slow.problem == "Elasticsearch did not answer within 1 s."
    assert slow.next_at == now + timedelta(seconds=slow.interval)


def test_a_look_that_another_worker_has_made_tells_nothing(turn: Turn, index: Elasticsearch) -> None:
    watch = _watch()
    turn()
    _write(index, "d3", "Ankara")
    stale = Watch.objects.defer("hashes").select_related("user", "saved").get(pk=watch.pk)
    now = turn()
    assert watching._look(stale, {}, now) == "skipped"  # pylint: disable=protected-access  # what it does when it wakes
    assert len(_told()) == 1


def test_looks_stay_spread_however_late_they_are(index: Elasticsearch) -> None:
    del index
    _watch()
    watching.turn(_NOW + timedelta(seconds=1_000), threading.Event())
    assert Watch.objects.get().next_at == _NOW + timedelta(seconds=1_200)
