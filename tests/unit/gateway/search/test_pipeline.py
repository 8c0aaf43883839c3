"""The way of a search: the index is authorized before its names are asked for, and the event knows how far it came."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from unittest.mock import Mock

import pytest
from pytest_django import Settings

from gateway.audit.draft import EventDraft, Subject
from gateway.http.problems import Code, Problem, malformed
from gateway.identity.models import User
from gateway.search import pipeline
from gateway.search.elasticsearch import Page
from gateway.search.request import SearchPlan, SearchRequest

_TRANSLATION = {"query": {"term": {"a": 1}}, "sort": [{"a": "asc"}], "source": ["a"], "notices": []}
_PAGE = Page(count=7, count_relation="eq", took_ms=3, results=[b"{}"])


def _draft() -> EventDraft:
    return EventDraft("q-1", datetime.now(UTC), "ada", Subject.QUERY, Mock())


class _Translator:  # pylint: disable=too-few-public-methods  # it is asked
    """Translates everything in one way, or fails."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.problem: Problem | None = None

    def translate(self, query: str, index: str, **rest: Any) -> dict[str, Any]:
        """Translate a query."""
        self.asked.append((query, index, rest))
        if self.problem is not None:
            raise self.problem
        return _TRANSLATION


@pytest.fixture(name="translator")
def fixture_translator(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> _Translator:
    """A translator of the test's own, and three indices."""
    translator = _Translator()
    monkeypatch.setattr(pipeline, "translate", translator.translate)
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"search_indices": ("devices", "users", "vms")})
    return translator


def _ada(*indices: str) -> User:
    return User(username="ada", granted_indices=list(indices))


def test_a_plan_has_all_names_resolved_by_one_call_of_the_translator(translator: _Translator) -> None:
    request = SearchRequest(query="a = 1", index="users", case_insensitive=True, sort=["a"], fields=["a"])
    draft = _draft()
    planned = pipeline.plan(_ada("users"), draft, request)

    assert translator.asked == [("a = 1", "users", {"case_insensitive": True, "sort": ["a"], "fields": ["a"]})]
    assert (planned.request, planned.index) == (request, "users")
    assert (planned.dsl, planned.sort, planned.source) == ({"term": {"a": 1}}, [{"a": "asc"}], ["a"])
    assert (draft.query, draft.index, draft.dsl) == ("a = 1", "users", {"term": {"a": 1}})


def test_without_an_index_the_first_that_the_caller_may_search_is_meant(translator: _Translator) -> None:
    assert pipeline.plan(_ada("vms", "users"), _draft(), SearchRequest(query="")).index == "users"
    assert translator.asked[0][1] == "users"


@pytest.mark.parametrize("index", ["users", "no-such-index", None])
def test_an_index_that_the_caller_may_not_search_is_never_asked_about_and_is_in_the_event(
    index: str | None, translator: _Translator
) -> None:
    draft = _draft()
    with pytest.raises(Problem) as refused:
        pipeline.plan(_ada(), draft, SearchRequest(query="a = 1", index=index))

    assert (refused.value.status, refused.value.code) == (HTTPStatus.FORBIDDEN, Code.FORBIDDEN)
    assert not translator.asked
    assert (draft.query, draft.index, draft.dsl) == ("a = 1", index or "devices", None)


def test_an_index_is_waited_for_once_it_is_authorized_and_before_its_names_are_resolved(
    translator: _Translator,
) -> None:
    waited: list[tuple[str, int]] = []

    def wait(index: str) -> None:
        waited.append((index, len(translator.asked)))

    with pytest.raises(Problem):
        pipeline.plan(_ada(), _draft(), SearchRequest(query="a = 1", index="users"), wait)
    assert not waited
    pipeline.plan(_ada("users"), _draft(), SearchRequest(query="a = 1", index="users"), wait)
    assert waited == [("users", 0)]
    assert len(translator.asked) == 1


def test_a_query_that_cannot_be_translated_is_in_the_event_without_a_translation(translator: _Translator) -> None:
    translator.problem = malformed("query: no")
    draft = _draft()
    with pytest.raises(Problem):
        pipeline.plan(_ada("devices"), draft, SearchRequest(query="a ="))
    assert (draft.query, draft.index, draft.dsl) == ("a =", "devices", None)


def _planned(cursor: str | None) -> SearchPlan:
    return SearchPlan(SearchRequest(query="", cursor=cursor), "devices", {}, sort=[], source=True, notices=[])


@pytest.fixture(name="ends")
def fixture_ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the searches of the test were run, and how their blocks ended."""
    ends: list[str] = []

    def search(_plan: SearchPlan) -> Page:
        ends.append("page")
        return _PAGE

    @contextmanager
    def reading(*_arguments: Any) -> Iterator[Page]:
        ends.append("cursor")
        try:
            yield _PAGE
        except Exception:
            ends.append("failed")
            raise
        ends.append("recorded")

    monkeypatch.setattr(pipeline, "search", search)
    monkeypatch.setattr(pipeline, "reading", reading)
    return ends


@pytest.mark.parametrize(("cursor", "expected"), [(None, ["page"]), ("start", ["cursor", "recorded"])])
def test_the_event_has_its_figures_before_the_block_that_records_it(
    cursor: str | None, expected: list[str], ends: list[str]
) -> None:
    draft = _draft()
    with pipeline.run(_ada("devices"), draft, _planned(cursor)) as page:
        assert page is _PAGE
        assert (draft.hits, draft.took_ms) == (7, 3)
    assert ends == expected


def test_a_cursor_hears_that_its_page_could_not_be_recorded(ends: list[str]) -> None:
    with pytest.raises(RuntimeError), pipeline.run(_ada("devices"), _draft(), _planned("start")):
        raise RuntimeError
    assert ends == ["cursor", "failed"]
