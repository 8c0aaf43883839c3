"""Bodies that are read part by part, from another thread than the event loop's."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from gateway.http.client_timeouts import ClientTimeouts
from gateway.http.problems import Problem
from gateway.serving.request_bodies import Message, StreamedBody


def _part(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@contextmanager
def _sent(*messages: Message, timeouts: ClientTimeouts | None = None) -> Iterator[StreamedBody]:
    """A body of which the client sends some parts, and then is silent."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0) if left else await asyncio.Future()

    try:
        yield StreamedBody(loop, timeouts or ClientTimeouts(), receive)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_body_is_read_in_pieces_of_any_size_until_its_end() -> None:
    with _sent(_part(b"abc"), _part(b""), _part(b"defg"), _part(b"h", more=False)) as body:
        pieces = [body.read(2), body.read(2), body.read(100), body.read(100), body.read(100), body.read(100)]
    assert pieces == [b"ab", b"c", b"defg", b"h", b"", b""]


def test_a_client_that_hangs_up_leaves_a_body_that_is_not_whole() -> None:
    with _sent(_part(b"abc"), {"type": "http.disconnect"}) as body:
        assert body.read(100) == b"abc"
        with pytest.raises(Problem, match="ended early") as refused:
            body.read(100)
    assert refused.value.status == 400


def test_a_client_that_sends_nothing_more_is_given_up(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"body_timeout": 0.01})
    with _sent(_part(b"abc")) as body:
        assert body.read(100) == b"abc"
        with pytest.raises(Problem, match="nothing more of it came") as refused:
            body.read(100)
    assert refused.value.status == 400


def test_a_process_that_ends_waits_no_longer_for_the_rest() -> None:
    timeouts = ClientTimeouts()
    with _sent(_part(b"abc"), timeouts=timeouts) as body:
        assert body.read(100) == b"abc"
        loop = body._loop  # pylint: disable=protected-access
        loop.call_soon_threadsafe(timeouts.end, 0.0)
        with pytest.raises(Problem, match="stopping") as refused:
            body.read(100)
    assert refused.value.status == 503
