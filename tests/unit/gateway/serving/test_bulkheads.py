"""A bulkhead has threads of its own and refuses what it has no room for."""

import asyncio
import threading

import pytest

from gateway.serving.bulkheads import Bulkhead, Full, Places


async def _until(bulkhead: Bulkhead, inside: int) -> None:
    while bulkhead.inside != inside:
        await asyncio.sleep(0)


def test_what_is_more_than_threads_and_queue_is_refused_at_once_and_the_rest_is_done() -> None:
    go = threading.Event()

    async def fill() -> list[bool]:
        bulkhead = Bulkhead("test", threads=2, queue=1)
        work = [asyncio.create_task(bulkhead.run(go.wait)) for _ in range(3)]
        await _until(bulkhead, 3)
        with pytest.raises(Full):
            await bulkhead.run(go.wait)
        go.set()
        return await asyncio.gather(*work)

    assert asyncio.run(fill()) == [True] * 3


def test_a_full_bulkhead_does_not_hold_up_another() -> None:
    go = threading.Event()

    async def beside() -> str:
        full, other = Bulkhead("test", threads=1, queue=0), Bulkhead("test", threads=1, queue=0)
        held = asyncio.create_task(full.run(go.wait))
        await _until(full, 1)
        answer = await other.run(lambda: "answer")
        go.set()
        await held
        return answer

    assert asyncio.run(beside()) == "answer"


def test_work_that_fails_leaves_its_room() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def twice() -> None:
        bulkhead = Bulkhead("test", threads=1, queue=0)
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await bulkhead.run(fail)

    asyncio.run(twice())


def test_one_place_has_its_share_and_others_theirs() -> None:
    places = Places(2)
    with places.inside("a"), places.inside("a"), places.inside("b"), pytest.raises(Full), places.inside("a"):
        pass
    with places.inside("a"):
        pass
