"""A bulkhead has threads of its own and refuses what it has no room for."""

import asyncio
import threading

import pytest

from gateway.serving.bulkheads import Bulkhead, Full


async def _until(bulkhead: Bulkhead, inside: int) -> None:
    while bulkhead.inside != inside:
        await asyncio.sleep(0)


def test_requests_beyond_threads_and_queue_are_refused_at_once_and_the_rest_are_done() -> None:
    go = threading.Event()

    async def fill() -> list[bool]:
        bulkhead = Bulkhead("test", threads=2, queue=1)
        work = [asyncio.create_task(bulkhead.run("a", go.wait)) for _ in range(3)]
        await _until(bulkhead, 3)
        with pytest.raises(Full):
            await bulkhead.run("a", go.wait)
        go.set()
        return await asyncio.gather(*work)

    assert asyncio.run(fill()) == [True] * 3


def test_a_full_bulkhead_does_not_hold_up_another() -> None:
    go = threading.Event()

    async def beside() -> str:
        full, other = Bulkhead("test", threads=1, queue=0), Bulkhead("test", threads=1, queue=0)
        held = asyncio.create_task(full.run("a", go.wait))
        await _until(full, 1)
        answer = await other.run("a", lambda: "answer")
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
                await bulkhead.run("a", fail)

    asyncio.run(twice())


def test_one_place_has_its_share_and_others_theirs() -> None:
    go = threading.Event()

    async def fill() -> None:
        bulkhead = Bulkhead("test", threads=1, queue=3, share=2)
        work = [asyncio.create_task(bulkhead.run(place, go.wait)) for place in "aab"]
        await _until(bulkhead, 3)
        with pytest.raises(Full):
            await bulkhead.run("a", go.wait)
        go.set()
        await asyncio.gather(*work)
        assert await bulkhead.run("a", lambda: True)

    asyncio.run(fill())


def test_places_take_turns_however_much_one_of_them_has_sent_before() -> None:
    go, done = threading.Event(), list[str]()

    async def work_in_turns() -> None:
        bulkhead = Bulkhead("test", threads=1, queue=10)
        first = asyncio.create_task(bulkhead.run("", go.wait))
        await _until(bulkhead, 1)
        work = [asyncio.create_task(bulkhead.run(place[0], done.append, place)) for place in ("a1", "a2", "a3", "b1")]
        await _until(bulkhead, 5)
        go.set()
        await asyncio.gather(first, *work)

    asyncio.run(work_in_turns())
    assert done == ["a1", "b1", "a2", "a3"]


def test_a_request_given_up_while_waiting_or_just_then_takes_no_turn() -> None:
    go = threading.Event()

    async def give_up() -> bool:
        bulkhead = Bulkhead("test", threads=1, queue=10)
        waiting: list[asyncio.Task[bool]] = []

        async def be_first() -> None:
            await bulkhead.run("", go.wait)
            # Its turn has come, and it does not know yet.
            waiting[1].cancel()

        first = asyncio.create_task(be_first())
        await _until(bulkhead, 1)
        waiting += [asyncio.create_task(bulkhead.run(place, lambda: True)) for place in "abc"]
        await _until(bulkhead, 4)
        waiting[0].cancel()
        go.set()
        await asyncio.wait([first, *waiting[:2]])
        assert [each.cancelled() for each in waiting[:2]] == [True, True]
        return await waiting[2] and await bulkhead.run("a", lambda: True)

    assert asyncio.run(give_up())
