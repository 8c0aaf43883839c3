"""A lane has threads of its own and refuses what it has no room for."""

import asyncio
import threading

import pytest

from gateway.lanes import Full, Lane, Places


async def _until(lane: Lane, inside: int) -> None:
    while lane.inside != inside:
        await asyncio.sleep(0)


def test_what_is_more_than_threads_and_queue_is_refused_at_once_and_the_rest_is_done() -> None:
    go = threading.Event()

    async def fill() -> list[bool]:
        lane = Lane("test", threads=2, queue=1)
        work = [asyncio.create_task(lane.run(go.wait)) for _ in range(3)]
        await _until(lane, 3)
        with pytest.raises(Full):
            await lane.run(go.wait)
        go.set()
        return await asyncio.gather(*work)

    assert asyncio.run(fill()) == [True] * 3


def test_a_full_lane_does_not_hold_up_another() -> None:
    go = threading.Event()

    async def beside() -> str:
        full, other = Lane("test", threads=1, queue=0), Lane("test", threads=1, queue=0)
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
        lane = Lane("test", threads=1, queue=0)
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await lane.run(fail)

    asyncio.run(twice())


def test_one_place_has_its_share_and_others_theirs() -> None:
    places = Places(2)
    with places.inside("a"), places.inside("a"), places.inside("b"), pytest.raises(Full), places.inside("a"):
        pass
    with places.inside("a"):
        pass
