"""Points in time: what Elasticsearch is asked, and what its answers mean for the next page."""

from http import HTTPStatus
from typing import Any

import pytest

from gateway.http.problems import Code, Problem, Unavailable
from gateway.search.points_in_time import (
    ExpiredCursor,
    close_point_in_time,
    open_point_in_time,
    read_point_in_time,
)
from gateway.search.request import SearchPlan, SearchRequest

_PLAN = SearchPlan(
    SearchRequest(query="a = 1"),
    "devices",
    {"term": {"a": 1}},
    sort=[{"Hostname": {"order": "desc"}}],
    source=["Hostname"],
    notices=[],
)


class _Elasticsearch:
    """Takes requests, and answers them or fails as the test says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.answer: Any = {}

    def perform(self, method: str, target: str, body: Any = None) -> Any:
        """Take one request."""
        self.requests.append((method, target, body))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def has(self, documents: int) -> None:
        """Let the next page have so many documents."""
        hits = [
            {"_source": b"%d" % number, "_id": f"d{number}", "sort": [f"s{number}", number]}
            for number in range(documents)
        ]
        total = {"value": 7, "relation": "eq"}
        self.answer = {"took": 3, "pit_id": "another id", "hits": {"total": total, "hits": hits}}


@pytest.fixture(name="elasticsearch")
def fixture_elasticsearch(monkeypatch: pytest.MonkeyPatch) -> _Elasticsearch:
    """An Elasticsearch of the test's own."""
    asked = _Elasticsearch()
    monkeypatch.setattr("gateway.search.points_in_time.perform", asked.perform)
    return asked


def test_a_point_in_time_is_opened_over_all_shards_or_not_at_all(elasticsearch: _Elasticsearch) -> None:
    elasticsearch.answer = {"id": "an id"}
    assert open_point_in_time("devices") == "an id"

    [(method, target, _)] = elasticsearch.requests
    assert method == "POST"
    assert target == "/devices/_pit?keep_alive=120s&allow_partial_search_results=false"


def test_a_page_is_asked_for_in_an_order_without_ties_and_keeps_the_point_in_time(
    elasticsearch: _Elasticsearch,
) -> None:
    elasticsearch.has(1)
    read_point_in_time("an id", _PLAN, size=2, after=["s9", 9])

    [(method, target, body)] = elasticsearch.requests
    assert (method, target) == ("POST", "/_search?allow_partial_search_results=false")
    assert body["pit"] == {"id": "an id", "keep_alive": "120s"}
    assert (body["query"], body["_source"]) == (_PLAN.dsl, _PLAN.source)
    assert body["sort"] == [*_PLAN.sort, {"_shard_doc": {"order": "asc"}}]
    assert body["search_after"] == ["s9", 9]


def test_the_first_page_comes_after_nothing(elasticsearch: _Elasticsearch) -> None:
    elasticsearch.has(1)
    read_point_in_time("an id", _PLAN, size=2, after=None)
    assert "search_after" not in elasticsearch.requests[0][2]


def test_where_there_is_more_the_next_page_comes_after_the_last_document_that_was_given(
    elasticsearch: _Elasticsearch,
) -> None:
    elasticsearch.has(3)
    found = read_point_in_time("an id", _PLAN, size=2, after=None)

    assert elasticsearch.requests[0][2]["size"] == 3
    assert found.page.results == [b"0", b"1"]
    assert (found.page.count, found.page.count_relation, found.page.took_ms) == (7, "eq", 3)
    assert found.after == ["s1", 1]
    assert found.point_in_time == "another id", "Elasticsearch may give another one on the way"


@pytest.mark.parametrize("documents", [0, 1, 2])
def test_after_the_last_document_nothing_comes(documents: int, elasticsearch: _Elasticsearch) -> None:
    elasticsearch.has(documents)
    found = read_point_in_time("an id", _PLAN, size=2, after=None)
    assert len(found.page.results) == documents
    assert found.after is None


def test_a_point_in_time_that_is_gone_is_an_expired_cursor_and_any_other_problem_is_itself(
    elasticsearch: _Elasticsearch,
) -> None:
    elasticsearch.answer = Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "The index does not exist.")
    with pytest.raises(ExpiredCursor) as expired:
        read_point_in_time("an id", _PLAN, size=2, after=None)
    assert (expired.value.status, expired.value.code) == (409, "cursor_expired")

    elasticsearch.answer = Unavailable(Code.SEARCH_UNAVAILABLE, "down")
    with pytest.raises(Unavailable):
        read_point_in_time("an id", _PLAN, size=2, after=None)


def test_one_that_cannot_be_closed_is_left_to_expire(elasticsearch: _Elasticsearch) -> None:
    close_point_in_time("an id")
    elasticsearch.answer = Unavailable(Code.SEARCH_UNAVAILABLE, "down")
    close_point_in_time("an id")

    assert elasticsearch.requests == [("DELETE", "/_pit", {"id": "an id"})] * 2
