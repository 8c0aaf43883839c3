"""Request bodies, which are read in the event loop: how long they take is up to their clients."""

from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from django.conf import settings

from gateway.lanes import Full
from gateway.metrics import BODIES_INSIDE
from gateway.patience import Patience
from gateway.problems import RETRY_AFTER_SECONDS, Code, Problem

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class Bodies:  # pylint: disable=too-few-public-methods  # it does one thing
    """The bodies that are being read, with a limit of size, of time, of all at once, and of those of one address."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._inside: Counter[str] = Counter()

    async def read(self, address: str, receive: Receive) -> tuple[bytearray, bool]:
        """Collect a body until it ends, or is larger than any that is taken.

        Args:
            address: whose it is.
            receive: gives the next part.

        Returns:
            what came, and whether that is all.

        Raises:
            Full: as many bodies are being read as may be, or the process ends.
            Problem: 429, as many of this address are.
        """
        room = settings.GATEWAY.bodies
        if self._inside.total() >= room:
            raise Full
        if self._inside[address] >= max(1, room // 4):
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                Code.THROTTLED,
                f"Your address is sending {self._inside[address]} request bodies already; wait for one to end.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        self._inside[address] += 1
        body = bytearray()
        try:
            with BODIES_INSIDE.track_inprogress():
                async with self._patience.wait(settings.GATEWAY.body_timeout):
                    return body, await _read(receive, body)
        except TimeoutError:
            if self._patience.is_ending:
                raise Full from None
            return body, False
        finally:
            self._inside[address] -= 1
            self._inside += Counter()  # drops the zeros


async def _read(receive: Receive, body: bytearray) -> bool:
    """Whether it came whole; not if the client hangs up before."""
    more = True
    while more and len(body) <= settings.MAX_BODY_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            return False
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return True
