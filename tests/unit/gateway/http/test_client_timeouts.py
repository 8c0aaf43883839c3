"""A client is waited for as long as is usual, and a moment once the process ends."""

import asyncio

import pytest

from gateway.http.client_timeouts import ClientTimeouts

LONG = 60.0


def test_bytes_in_time_are_taken_and_a_client_too_late_is_given_up() -> None:
    async def wait() -> None:
        timeouts = ClientTimeouts()
        async with timeouts.wait(LONG):
            pass
        with pytest.raises(TimeoutError):
            async with timeouts.wait(0.01):
                await asyncio.sleep(LONG)

    asyncio.run(asyncio.wait_for(wait(), LONG))


def test_a_time_out_can_be_brought_forward() -> None:
    async def wait() -> None:
        with pytest.raises(TimeoutError):
            async with ClientTimeouts().wait(None) as timeout:
                timeout.reschedule(0)
                await asyncio.sleep(LONG)

    asyncio.run(asyncio.wait_for(wait(), LONG))


def test_at_the_end_no_client_is_waited_for_longer_than_a_moment() -> None:
    async def client(timeouts: ClientTimeouts, seconds: float | None) -> None:
        async with timeouts.wait(seconds):
            await asyncio.sleep(LONG)

    async def wait() -> list[BaseException | None]:
        timeouts = ClientTimeouts()
        before = [asyncio.create_task(client(timeouts, seconds)) for seconds in (None, LONG / 2)]
        await asyncio.sleep(0)
        timeouts.end(0.01)
        after = [asyncio.create_task(client(timeouts, seconds)) for seconds in (None, LONG / 2)]
        return await asyncio.gather(*before, *after, return_exceptions=True)

    ended = asyncio.run(asyncio.wait_for(wait(), LONG))
    assert [type(each) for each in ended] == [TimeoutError] * 4


def test_a_task_that_is_cancelled_while_it_waits_is_cancelled() -> None:
    async def wait() -> None:
        timeouts = ClientTimeouts()

        async def client() -> None:
            async with timeouts.wait(LONG):
                await asyncio.sleep(LONG)

        task = asyncio.create_task(client())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(wait())


def test_where_no_client_is_waited_for_nothing_looks() -> None:
    async def wait() -> int:
        timeouts = ClientTimeouts()
        async with timeouts.wait(LONG):
            pass
        looks = 0
        look = timeouts._look  # pylint: disable=protected-access  # nothing else shows it

        def count() -> None:
            nonlocal looks
            looks += 1
            look()

        timeouts._look = count  # type: ignore[method-assign]  # pylint: disable=protected-access
        await asyncio.sleep(0.5)
        return looks

    assert asyncio.run(wait()) == 0
