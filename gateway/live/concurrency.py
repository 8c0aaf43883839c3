"""Activities of one socket side by side, of which the first to end ends all."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_to_end(*activities: Coroutine[Any, Any, None]) -> None:
    """Run activities until one of them ends, and raise what it has raised; the others are cancelled."""
    tasks = [asyncio.ensure_future(activity) for activity in activities]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
