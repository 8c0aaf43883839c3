"""Long queries in threads: the shortest first, and no more waiting than may."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any

import pytest

from translator.workers import MAX_WAITING, THREADS, TooManyWait, Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    """The threads."""
    made = Workers()
    yield made
    made.close()


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 60))


async def _occupy(workers: Workers, go_on: threading.Event) -> list[asyncio.Future[bool]]:
    """Give every thread something that lasts."""
    held: list[asyncio.Future[bool]] = [asyncio.ensure_future(workers.run(1, go_on.wait)) for _ in range(THREADS)]
    await asyncio.sleep(0)
    return held


def test_of_those_that_wait_the_shortest_goes_first(workers: Workers) -> None:
    done: list[int] = []

    async def ask() -> None:
        first, second = threading.Event(), threading.Event()
        held = [asyncio.ensure_future(workers.run(1, event.wait)) for event in (first, second)]
        await asyncio.sleep(0)
        waiting = [asyncio.ensure_future(workers.run(length, partial(done.append, length))) for length in (9, 3, 5, 3)]
        await asyncio.sleep(0)
        # One thread stays taken, so that the other has all of them in turn.
        first.set()
        await asyncio.gather(*waiting)
        second.set()
        await asyncio.gather(*held)

    _run(ask())
    assert done == [3, 3, 5, 9]


def test_a_request_that_comes_when_too_many_wait_is_refused(workers: Workers) -> None:
    async def ask() -> None:
        go_on = threading.Event()
        held = await _occupy(workers, go_on)
        waiting = [asyncio.ensure_future(workers.run(1, bool)) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWait):
            await workers.run(1, bool)
        go_on.set()
        await asyncio.gather(*held, *waiting)
        assert await workers.run(1, lambda: 7) == 7

    _run(ask())


def test_one_who_stops_waiting_takes_no_thread_along(workers: Workers) -> None:
    async def ask() -> None:
        go_on = threading.Event()
        held = await _occupy(workers, go_on)
        leaving = [asyncio.ensure_future(workers.run(1, bool)) for _ in range(5)]
        await asyncio.sleep(0)
        for each in leaving:
            each.cancel()
        go_on.set()
        await asyncio.gather(*held)
        barrier = threading.Barrier(THREADS)
        await asyncio.gather(*(workers.run(1, barrier.wait) for _ in range(THREADS)))

    _run(ask())


def test_an_error_of_the_work_is_its_callers(workers: Workers) -> None:
    async def ask() -> None:
        for _ in range(THREADS + 1):
            with pytest.raises(ZeroDivisionError):
                await workers.run(1, lambda: 1 // 0)

    _run(ask())
