"""Memory budget of answers that wait for slow clients.

Why: a client that takes 64 KiB every half minute is not stalled, and sixty of them held 2.4 GB. A worker holds 128 MiB
of long answers and then gives up the client that has taken longest. A lowest rate or a time limit would hit honest
phones and still allow the flood; refusing the newest lets the slow keep everybody out; a flood's addresses are many.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.metrics import ANSWER_BYTES
from gateway.patience import Patience

MAX_BYTES = 128 * 1024 * 1024
"""A worker's; more than the largest answer of Elasticsearch that is read."""


class Answers:  # pylint: disable=too-few-public-methods  # it does one thing
    """The long answers that are being taken, to be used from one event loop."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._bytes = 0
        self._taking: dict[asyncio.Timeout, int] = {}

    @asynccontextmanager
    async def taking(self, length: int) -> AsyncIterator[None]:
        """Let a client take its answer in here, as long as it takes.

        Where there is no room for one more, whoever has been taking theirs the longest is given up.

        Args:
            length: of the answer, in bytes.

        Raises:
            TimeoutError: this client is given up, or the process ends.
        """
        async with self._patience.wait(None) as timeout:
            self._taking[timeout] = length
            self._count(length)
            while self._bytes > MAX_BYTES and (oldest := next(iter(self._taking), timeout)) is not timeout:
                oldest.reschedule(0)
                self._leave(oldest)
            try:
                yield
            finally:
                self._leave(timeout)

    def _leave(self, timeout: asyncio.Timeout) -> None:
        self._count(-self._taking.pop(timeout, 0))

    def _count(self, length: int) -> None:
        self._bytes += length
        ANSWER_BYTES.inc(length)
