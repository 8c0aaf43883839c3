"""How long clients are waited for."""

import asyncio

import pytest

from gateway.http.client_timeouts import ClientTimeouts

LONG = 60.0
SHORT = 0.01


async def _wait(timeouts: ClientTimeouts, seconds: float | None) -> None:
    async with timeouts.wait(seconds):
        await asyncio.Event().wait()


def test_it_lasts_as_long_as_is_asked() -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(_wait(ClientTimeouts(), SHORT))


@pytest.mark.parametrize("seconds", [LONG, None])
def test_its_end_shortens_what_is_waited_for_already_and_what_will_be(seconds: float | None) -> None:
    async def end() -> None:
        timeouts = ClientTimeouts()
        waiting = [asyncio.create_task(_wait(timeouts, seconds)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not timeouts.is_ending
        timeouts.end(SHORT)
        assert timeouts.is_ending
        waiting.append(asyncio.create_task(_wait(timeouts, seconds)))
        done = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
        assert all(isinstance(error, TimeoutError) for error in done)

    asyncio.run(end())


def test_its_end_lengthens_nothing() -> None:
    async def end() -> None:
        timeouts = ClientTimeouts()
        waiting = asyncio.create_task(_wait(timeouts, SHORT))
        await asyncio.sleep(0)
        timeouts.end(LONG)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting, 10)
        with pytest.raises(TimeoutError):
            await _wait(timeouts, SHORT)

    asyncio.run(end())
