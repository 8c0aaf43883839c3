"""What answers may hold whose clients are slow to take them."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from gateway.serving.client_timeouts import ClientTimeouts
from gateway.serving.response_memory import ResponseMemory

SHORT = 0.01


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("gateway.serving.response_memory.MAX_BYTES", 100)
    before = _bytes()
    yield
    assert _bytes() == before


def _bytes() -> float:
    return REGISTRY.get_sample_value("gateway_answer_bytes") or 0.0


async def _take(answers: ResponseMemory, length: int) -> None:
    async with answers.taking(length):
        await asyncio.Event().wait()


async def _begin(answers: ResponseMemory, *lengths: int) -> list["asyncio.Task[None]"]:
    tasks = [asyncio.create_task(_take(answers, length)) for length in lengths]
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
        tasks = await _begin(ResponseMemory(ClientTimeouts()), 60, 40)
        assert _bytes() - before == 100
        assert await _given_up(tasks) == [False, False]

    asyncio.run(take())


def test_for_one_more_those_are_given_up_that_have_been_at_it_the_longest_and_no_more_of_them_than_need_be() -> None:
    async def take() -> None:
        tasks = await _begin(ResponseMemory(ClientTimeouts()), 20, 30, 40, 60)
        assert await _given_up(tasks) == [True, True, False, False]

    asyncio.run(take())


def test_one_that_is_larger_than_the_room_is_taken_alone() -> None:
    async def take() -> None:
        answers = ResponseMemory(ClientTimeouts())
        first = await _begin(answers, 50)
        second = await _begin(answers, 200)
        assert await _given_up(first + second) == [True, False]

    asyncio.run(take())


def test_room_is_free_again_when_one_has_been_taken() -> None:
    async def take() -> None:
        answers = ResponseMemory(ClientTimeouts())
        for _ in range(3):
            async with answers.taking(60):
                pass
        tasks = await _begin(answers, 60)
        assert await _given_up(tasks) == [False]

    asyncio.run(take())


def test_the_end_of_the_process_ends_it() -> None:
    async def take() -> None:
        patience = ClientTimeouts()
        tasks = await _begin(ResponseMemory(patience), 60)
        patience.end(SHORT)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tasks[0], 10)

    asyncio.run(take())
