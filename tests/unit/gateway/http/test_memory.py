"""Memory of long bodies and answers, and the requests that are given up or refused for others."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY

from gateway.http.client_timeouts import ClientTimeouts
from gateway.http.memory import Memory, Part
from gateway.http.problems import Unavailable

SHORT = 0.01


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("gateway.http.memory.BUDGET_BYTES", 100)
    before = _bytes()
    yield
    assert _bytes() == before


def _bytes() -> float:
    return REGISTRY.get_sample_value("gateway_memory_bytes") or 0.0


async def _take(memory: Memory, length: int) -> None:
    with memory.share() as share:
        async with memory.taking(share, length):
            await asyncio.Event().wait()


async def _begin(memory: Memory, *lengths: int) -> list["asyncio.Task[None]"]:
    tasks = [asyncio.create_task(_take(memory, length)) for length in lengths]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def _given_up(tasks: list["asyncio.Task[None]"]) -> list[bool]:
    given_up = [task.done() for task in tasks]
    for task in tasks:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(end, TimeoutError) for end in ends] == given_up
    return given_up


def test_as_many_are_taken_as_there_is_room_for() -> None:
    async def take() -> None:
        before = _bytes()
        tasks = await _begin(Memory(ClientTimeouts()), 60, 40)
        assert _bytes() - before == 100
        assert await _given_up(tasks) == [False, False]

    asyncio.run(take())


def test_for_one_more_those_are_given_up_that_have_been_at_it_the_longest_and_no_more_of_them_than_need_be() -> None:
    async def take() -> None:
        tasks = await _begin(Memory(ClientTimeouts()), 20, 30, 40, 60)
        assert await _given_up(tasks) == [True, True, False, False]

    asyncio.run(take())


def test_one_that_is_larger_than_the_room_is_taken_alone() -> None:
    async def take() -> None:
        memory = Memory(ClientTimeouts())
        first = await _begin(memory, 50)
        second = await _begin(memory, 200)
        assert await _given_up(first + second) == [True, False]

    asyncio.run(take())


def test_room_is_free_again_when_one_has_been_taken() -> None:
    async def take() -> None:
        memory = Memory(ClientTimeouts())
        for _ in range(3):
            with memory.share() as share:
                async with memory.taking(share, 60):
                    pass
        tasks = await _begin(memory, 60)
        assert await _given_up(tasks) == [False]

    asyncio.run(take())


def test_the_end_of_the_process_ends_it() -> None:
    async def take() -> None:
        timeouts = ClientTimeouts()
        tasks = await _begin(Memory(timeouts), 60)
        timeouts.end(SHORT)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tasks[0], 10)

    asyncio.run(take())


def test_a_request_gives_back_what_it_took_when_it_ends() -> None:
    memory = Memory(ClientTimeouts())
    for _ in range(3):
        with memory.share() as share:
            share.claim(Part.BODY, 60)
            share.claim(Part.BODY, 0)
            share.claim(Part.ANSWER, 80)
            share.claim(Part.ANSWER, 30)


def test_a_request_without_memory_is_refused_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.http.memory._WAIT_SECONDS", SHORT)
    memory = Memory(ClientTimeouts())
    with memory.share() as first, memory.share() as second:
        first.claim(Part.ANSWER, 60)
        assert not second.try_claim(Part.RECEIVED, 60)
        with pytest.raises(Unavailable) as refused:
            second.claim(Part.ANSWER, 60)
        assert int(refused.value.headers["Retry-After"]) > 0
        first.claim(Part.ANSWER, 30)
        second.claim(Part.ANSWER, 60)


def test_a_request_that_waits_gets_the_memory_that_becomes_free() -> None:
    memory = Memory(ClientTimeouts())
    with memory.share() as first, memory.share() as second, ThreadPoolExecutor(1) as pool:
        first.claim(Part.ANSWER, 60)
        waiting = pool.submit(second.claim, Part.ANSWER, 60)
        first.clear()
        waiting.result(10)


def test_a_client_that_takes_its_answer_slowly_is_given_up_for_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.http.memory._TAKING_SECONDS", SHORT)

    async def take() -> None:
        memory = Memory(ClientTimeouts())
        tasks = await _begin(memory, 60)
        with memory.share() as share:
            await asyncio.to_thread(share.claim, Part.ANSWER, 60)
        assert await _given_up(tasks) == [True]

    asyncio.run(take())
