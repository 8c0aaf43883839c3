"""Signals, as a worker's event loop takes them."""

import asyncio
import os
import signal

from kit.event_loop import EventLoop


def test_a_stop_is_heard_of_once_however_often_and_in_whichever_way_the_process_is_told() -> None:
    heard: list[str] = []
    loop = EventLoop()
    loop.on_stop = lambda: heard.append("application")
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, heard.append, "server")

    async def tell() -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
            os.kill(os.getpid(), number)
            await asyncio.sleep(0.01)

    try:
        loop.run_until_complete(tell())
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        loop.close()
    assert heard == ["application", "server"]
