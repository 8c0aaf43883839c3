"""Catalogues in memory: one read for all who wait, and no read for a while after one that failed."""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from translator.catalogue import Catalogue
from translator.catalogue_cache import CatalogueCache, SearchUnavailable, UnknownIndex

_T = TypeVar("_T")
_REFRESH_SECONDS = 1.0


class _Clock:  # pylint: disable=too-few-public-methods  # a function with a time
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class _Mappings:
    """Mappings of two indices, which can be made to hang and to fail."""

    def __init__(self) -> None:
        self.fields = ["a"]
        self.failure: Exception | None = None
        self.reads: Counter[str] = Counter()
        self.go_on = threading.Event()
        self.go_on.set()

    def read(self, index: str) -> dict[str, dict[str, Any]]:
        """The mapping of an index, or the failure."""
        self.reads[index] += 1
        failure, fields = self.failure, self.fields
        assert self.go_on.wait(60)
        if failure is not None:
            raise failure
        if index not in ("devices", "others"):
            raise UnknownIndex(index)
        return {index: {"properties": {name: {"type": "keyword"} for name in fields}}}

    def is_reachable(self) -> bool:
        """Whether it answers."""
        return self.failure is None


@pytest.fixture
def clock() -> _Clock:
    """Time that stands still."""
    return _Clock()


@pytest.fixture
def mappings() -> _Mappings:
    """Where catalogues come from."""
    return _Mappings()


@pytest.fixture
def cache(mappings: _Mappings, clock: _Clock) -> CatalogueCache:
    """An empty cache."""
    return CatalogueCache(mappings, _REFRESH_SECONDS, clock)


def _run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run(asyncio.wait_for(coroutine, 60))


async def _together(mappings: _Mappings, *asking: Coroutine[Any, Any, _T]) -> list[_T | BaseException]:
    """The answers to all who have asked before the first read has ended."""
    mappings.go_on.clear()
    tasks = [asyncio.ensure_future(each) for each in asking]
    while not mappings.reads:
        await asyncio.sleep(0)
    mappings.go_on.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_all_who_wait_for_an_index_wait_for_one_read(cache: CatalogueCache, mappings: _Mappings) -> None:
    catalogues = _run(_together(mappings, *(cache.get("devices") for _ in range(20))))
    assert len(set(map(id, catalogues))) == 1
    assert isinstance(catalogues[0], Catalogue)
    assert mappings.reads == {"devices": 1}


def test_all_who_miss_a_name_wait_for_one_refresh(cache: CatalogueCache, mappings: _Mappings, clock: _Clock) -> None:
    async def ask() -> None:
        known = await cache.get("devices")
        clock.now += _REFRESH_SECONDS
        mappings.fields = ["a", "b"]
        mappings.reads.clear()
        refreshed = await _together(mappings, *(cache.refreshed("devices", known) for _ in range(20)))
        assert len(set(map(id, refreshed))) == 1
        assert isinstance(refreshed[0], Catalogue)
        assert "b" in refreshed[0].fields
        assert mappings.reads == {"devices": 1}
        # A caller that translated by the old one meanwhile gets the new one, and it is not read again.
        assert await cache.refreshed("devices", known) is refreshed[0]
        assert await cache.refreshed("devices", refreshed[0]) is None
        assert mappings.reads == {"devices": 1}

    _run(ask())


@pytest.mark.parametrize("is_answer", [False, True])
def test_a_failure_answers_all_who_wait_and_for_three_seconds_all_who_come(
    cache: CatalogueCache, mappings: _Mappings, clock: _Clock, is_answer: bool
) -> None:
    mappings.failure = SearchUnavailable("it hangs", is_answer=is_answer)

    async def ask() -> None:
        answers = await _together(mappings, *(cache.get("devices") for _ in range(20)))
        assert all(isinstance(answer, SearchUnavailable) for answer in answers)
        clock.now += 2.9
        with pytest.raises(SearchUnavailable, match="it hangs"):
            await cache.get("devices")
        assert mappings.reads == {"devices": 1}
        mappings.failure = None
        clock.now += 0.1
        assert "a" in (await cache.get("devices")).fields
        assert mappings.reads == {"devices": 2}

    _run(ask())


def test_after_a_failed_refresh_names_are_unknown_at_once_for_three_seconds(
    cache: CatalogueCache, mappings: _Mappings, clock: _Clock
) -> None:
    async def ask() -> None:
        known = await cache.get("devices")
        clock.now += _REFRESH_SECONDS
        mappings.failure = SearchUnavailable("it hangs")
        mappings.reads.clear()
        assert await _together(mappings, *(cache.refreshed("devices", known) for _ in range(20))) == [None] * 20
        for _ in range(29):
            clock.now += 0.1
            assert await cache.refreshed("devices", known) is None
        assert mappings.reads == {"devices": 1}
        assert cache.cached("devices") is known
        mappings.failure = None
        clock.now += 0.2
        assert await cache.refreshed("devices", known) is not None

    _run(ask())


@pytest.mark.parametrize(("is_answer", "reads"), [(False, {"devices": 1}), (True, {"devices": 1, "others": 1})])
def test_an_elasticsearch_that_is_away_is_away_for_every_index(
    cache: CatalogueCache, mappings: _Mappings, is_answer: bool, reads: dict[str, int]
) -> None:
    async def ask() -> None:
        mappings.failure = SearchUnavailable("why", is_answer=is_answer)
        for index in ("devices", "others"):
            with pytest.raises(SearchUnavailable):
                await cache.get(index)

    _run(ask())
    assert mappings.reads == reads


def test_an_unknown_index_is_no_failure(cache: CatalogueCache, mappings: _Mappings) -> None:
    async def ask() -> None:
        for _ in range(2):
            with pytest.raises(UnknownIndex):
                await cache.get("nothing")
        await cache.get("devices")

    _run(ask())
    assert mappings.reads == {"nothing": 2, "devices": 1}


def test_a_caller_that_stops_waiting_takes_the_read_from_no_other(cache: CatalogueCache, mappings: _Mappings) -> None:
    async def ask() -> None:
        mappings.go_on.clear()
        leaving, staying = (asyncio.ensure_future(cache.get("devices")) for _ in range(2))
        while not mappings.reads:
            await asyncio.sleep(0)
        leaving.cancel()
        mappings.go_on.set()
        assert "a" in (await staying).fields

    _run(ask())
