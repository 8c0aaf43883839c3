"""Cursors: a snapshot is its user's and its search's alone, counted, kept while it is read, and closed at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from unittest.mock import Mock

import pytest
from django.utils import timezone

from gateway.audit.draft import EventDraft, Subject
from gateway.http.problems import Code, Problem, Unavailable
from gateway.identity.models import User
from gateway.search.cursors import MAX_OPEN, ForeignCursor, reading
from gateway.search.elasticsearch import Page
from gateway.search.models import OpenCursor
from gateway.search.points_in_time import ExpiredCursor, Slice
from gateway.search.request import SearchPlan, SearchRequest

_PLAN = SearchPlan(
    SearchRequest(query="a = 1", cursor="start", size=2),
    "devices",
    {"term": {"a": 1}},
    sort=[],
    source=True,
    notices=[],
)


class _Elasticsearch:
    """Points in time of ``pages`` pages each, of which it tells the open ones."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.pages = 3
        self.sort_value: Any = "s"
        self.problem: Problem | None = None
        self.queries: list[dict[str, Any]] = []
        self._opened = 0

    def open_point_in_time(self, _index: str) -> str:
        """Open one."""
        self._opened += 1
        self.open.append(f"pit-{self._opened}")
        return self.open[-1]

    def read_point_in_time(self, point_in_time: str, plan: SearchPlan, *, size: int, after: list[Any] | None) -> Slice:
        """Read the page after these sort values."""
        assert size == plan.request.size
        if self.problem is not None:
            raise self.problem
        self.queries.append(plan.dsl)
        number = 0 if after is None else after[0] + 1
        page = Page(count=5, count_relation="eq", took_ms=1, results=[b'{"page":%d}' % number])
        return Slice(page, point_in_time, None if number == self.pages - 1 else [number, self.sort_value])

    def close_point_in_time(self, point_in_time: str) -> None:
        """Close one."""
        self.open.remove(point_in_time)


@pytest.fixture(name="elasticsearch", autouse=True)
def fixture_elasticsearch(monkeypatch: pytest.MonkeyPatch) -> _Elasticsearch:
    """An Elasticsearch of the test's own."""
    asked = _Elasticsearch()
    for name in ("open_point_in_time", "read_point_in_time", "close_point_in_time"):
        monkeypatch.setattr(f"gateway.search.cursors.{name}", getattr(asked, name))
    return asked


@pytest.fixture(name="ada")
def fixture_ada(db: None) -> User:
    """The user who reads."""
    del db
    return User.objects.create(username="ada")


def _asking(cursor: str | None, **changes: Any) -> SearchPlan:
    return replace(_PLAN, request=replace(_PLAN.request, cursor=cursor, **changes))


def _read(user: User, plan: SearchPlan) -> Page:
    with reading(user, EventDraft("q-1", datetime.now(UTC), "ada", Subject.QUERY, Mock()), plan) as page:
        return page


@contextmanager
def _at(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment)
        yield


def _code(user: User, plan: SearchPlan) -> str:
    with pytest.raises(Problem) as refused:
        _read(user, plan)
    return str(refused.value.code)


def test_a_snapshot_is_read_to_its_end_and_is_closed_there(ada: User, elasticsearch: _Elasticsearch) -> None:
    cursor: str | None = "start"
    found: list[bytes] = []
    while cursor is not None:
        assert len(elasticsearch.open) == OpenCursor.objects.count() == len(found[:1])
        page = _read(ada, _asking(cursor))
        found += page.results
        cursor = page.next

    assert found == [b'{"page":0}', b'{"page":1}', b'{"page":2}']
    assert not elasticsearch.open
    assert not OpenCursor.objects.exists()


def test_a_page_can_be_asked_for_again_until_the_last_one_was_read(ada: User) -> None:
    first = _read(ada, _asking("start"))
    assert _read(ada, _asking(first.next)).results == _read(ada, _asking(first.next)).results == [b'{"page":1}']

    last = _asking(_read(ada, _asking(first.next)).next)
    assert _read(ada, last).next is None
    assert _code(ada, last) == Code.CURSOR_EXPIRED


def test_another_size_and_other_fields_are_no_other_search(ada: User) -> None:
    first = _read(ada, _asking("start"))
    assert _read(ada, _asking(first.next, size=9, fields=["b"])).results == [b'{"page":1}']


@pytest.mark.parametrize(
    ("changes", "index", "named"),
    [
        ({"query": "a = 2"}, "devices", "another query;"),
        ({"case_insensitive": True}, "devices", "another case_insensitive;"),
        ({"sort": ["b"]}, "devices", "another sort;"),
        ({}, "users", "another index;"),
        ({"query": "a = 2", "sort": ["b"]}, "devices", "another query and sort;"),
    ],
)
def test_a_cursor_belongs_to_its_search_and_the_refusal_names_what_is_another(
    changes: dict[str, Any], index: str, named: str, ada: User
) -> None:
    first = _read(ada, _asking("start"))
    with pytest.raises(ForeignCursor, match=named):
        _read(ada, replace(_asking(first.next, **changes), index=index))
    assert _read(ada, _asking(first.next)).results == [b'{"page":1}'], "the snapshot is still there"


def test_a_cursor_is_its_users_alone(ada: User) -> None:
    first = _read(ada, _asking("start"))
    with pytest.raises(ForeignCursor, match="another user's"):
        _read(User.objects.create(username="grace"), _asking(first.next))


@pytest.mark.parametrize("change", ["", "x", "{cursor}x", "x{cursor}"])
def test_a_cursor_that_was_changed_is_refused(change: str, ada: User) -> None:
    first = _read(ada, _asking("start"))
    with pytest.raises(ForeignCursor, match="unknown to this gateway"):
        _read(ada, _asking(change.format(cursor=first.next)))


def test_a_cursor_says_nothing_of_the_query_or_of_elasticsearch(ada: User, elasticsearch: _Elasticsearch) -> None:
    _read(ada, _asking("start", query="secret = 1"))
    [snapshot] = OpenCursor.objects.all()
    assert "secret" not in str(snapshot.binding)
    assert snapshot.point_in_time == elasticsearch.open[0]


def test_now_is_the_same_moment_on_every_page_and_in_the_event(
    ada: User, elasticsearch: _Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(_PLAN, dsl={"range": {"Seen": {"gte": "now-1d", "format": "strict_date_time"}}})
    noon = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    with _at(noon, monkeypatch):
        first = _read(ada, plan)
    draft = EventDraft("q-1", noon, "ada", Subject.QUERY, Mock())
    with (
        _at(noon + timedelta(seconds=60), monkeypatch),
        reading(ada, draft, replace(plan, request=_asking(first.next).request)),
    ):
        pass

    assert elasticsearch.queries[0] == elasticsearch.queries[1] == draft.dsl
    assert draft.dsl == {"range": {"Seen": {"gte": "2026-11-21T12:00:00.000Z||-1d", "format": "strict_date_time"}}}


def test_reading_keeps_a_snapshot_from_expiring_and_without_reading_it_expires(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    with _at(noon, monkeypatch):
        second = _asking(_read(ada, _asking("start")).next)
    for seconds in (119, 238):
        with _at(noon + timedelta(seconds=seconds), monkeypatch):
            assert _read(ada, second).results == [b'{"page":1}']
    with _at(noon + timedelta(seconds=238 + 120), monkeypatch):
        assert _code(ada, second) == Code.CURSOR_EXPIRED


def test_one_more_than_a_user_may_hold_open_is_refused_until_one_expires(
    ada: User, elasticsearch: _Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    for number in range(MAX_OPEN):
        with _at(noon + timedelta(seconds=number), monkeypatch):
            _read(ada, _asking("start"))
    with _at(noon + timedelta(seconds=100), monkeypatch), pytest.raises(Problem) as refused:
        _read(ada, _asking("start"))
    assert (refused.value.status, refused.value.code) == (HTTPStatus.TOO_MANY_REQUESTS, Code.THROTTLED)
    assert refused.value.headers["Retry-After"] == "21"
    assert len(elasticsearch.open) == MAX_OPEN, "no point in time was opened for it"
    _read(User.objects.create(username="grace"), _asking("start"))

    with _at(noon + timedelta(seconds=121), monkeypatch):
        assert _read(ada, _asking("start")).next is not None


@pytest.mark.parametrize("problem", [Unavailable(Code.SEARCH_UNAVAILABLE, "down"), ExpiredCursor()])
def test_a_first_page_that_fails_leaves_nothing_open(
    problem: Problem, ada: User, elasticsearch: _Elasticsearch
) -> None:
    elasticsearch.problem = problem
    assert _code(ada, _asking("start")) == problem.code
    assert not elasticsearch.open
    assert not OpenCursor.objects.exists()


def test_a_later_page_that_fails_can_be_asked_for_again(ada: User, elasticsearch: _Elasticsearch) -> None:
    second = _asking(_read(ada, _asking("start")).next)
    elasticsearch.problem = Unavailable(Code.SEARCH_UNAVAILABLE, "down")
    assert _code(ada, second) == Code.SEARCH_UNAVAILABLE

    elasticsearch.problem = None
    assert _read(ada, second).results == [b'{"page":1}']


def test_a_snapshot_that_elasticsearch_lost_makes_room(ada: User, elasticsearch: _Elasticsearch) -> None:
    second = _asking(_read(ada, _asking("start")).next)
    elasticsearch.problem = ExpiredCursor()
    assert _code(ada, second) == Code.CURSOR_EXPIRED
    assert not OpenCursor.objects.exists()


@pytest.mark.parametrize(("pages", "is_kept"), [(1, True), (2, True), (3, False)])
def test_a_page_that_could_not_be_recorded_can_be_asked_for_again_except_for_the_first(
    pages: int, is_kept: bool, ada: User, elasticsearch: _Elasticsearch
) -> None:
    cursor: str | None = "start"
    for _ in range(3 - pages):
        cursor = _read(ada, _asking(cursor)).next
    draft = EventDraft("q-1", datetime.now(UTC), "ada", Subject.QUERY, Mock())
    with pytest.raises(RuntimeError), reading(ada, draft, _asking(cursor)):
        raise RuntimeError

    assert OpenCursor.objects.exists() == bool(elasticsearch.open) == is_kept


def test_sort_values_too_long_for_a_cursor_are_refused_and_leave_nothing_open(
    ada: User, elasticsearch: _Elasticsearch
) -> None:
    elasticsearch.sort_value = "".join(chr(0x4E00 + number) for number in range(5_000))
    assert _code(ada, _asking("start")) == Code.MALFORMED
    assert not elasticsearch.open
    assert not OpenCursor.objects.exists()
