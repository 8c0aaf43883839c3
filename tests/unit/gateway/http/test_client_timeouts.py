"""How long clients are waited for."""

import asyncio

import pytest

from gateway.http.client_timeouts import ClientTimeouts

LONG = 60.0
SHORT = 0.01


async def _wait(patience: ClientTimeouts, seconds: float | None) -> None:
    async with patience.wait(seconds):
        await asyncio.Event().wait()


def test_it_lasts_as_long_as_is_asked() -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(_wait(ClientTimeouts(), SHORT))


@pytest.mark.parametrize("seconds", [LONG, None])
def test_its_end_shortens_what_is_waited_for_already_and_what_will_be(seconds: float | None) -> None:
    async def end() -> None:
        patience = ClientTimeouts()
        waiting = [asyncio.create_task(_wait(patience, seconds)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not patience.is_ending
        patience.end(SHORT)
        assert patience.is_ending
        waiting.append(asyncio.create_task(_wait(patience, seconds)))
        done = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
        assert all(isinstance(error, TimeoutError) for error in done)

    asyncio.run(end())


def test_its_end_lengthens_nothing() -> None:
    async def end() -> None:
        patience = ClientTimeouts()
        waiting = asyncio.create_task(_wait(patience, SHORT))
        await asyncio.sleep(0)
        patience.end(LONG)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting, 10)
        with pytest.raises(TimeoutError):
            await _wait(patience, SHORT)

    asyncio.run(end())
