"""Objects that live as long as the process, made at their first use: neither connections nor threads survive a fork."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class PerProcess(Generic[Made]):  # pylint: disable=too-few-public-methods  # it is called
    """The one object of its kind in the process; another only where a test has other settings.

    Args:
        make: makes it.
        settings: the arguments of ``make``, of the settings as they are now.
    """

    def __init__(self, make: Callable[..., Made], settings: Callable[[], tuple[Hashable, ...]]) -> None:
        self._make = make
        self._settings = settings
        self._lock = threading.Lock()
        self._made: dict[tuple[Hashable, ...], Made] = {}
        self._last: tuple[tuple[Hashable, ...], Made] | None = None

    def __call__(self) -> Made:
        """Return the object; made by one thread, for which all others wait."""
        wanted = self._settings()
        last = self._last
        # Equal tuples of the same members are compared by identity, and settings are costly to hash.
        if last is not None and last[0] == wanted:
            return last[1]
        with self._lock:
            if wanted not in self._made:
                self._made[wanted] = self._make(*wanted)
            self._last = wanted, self._made[wanted]
            return self._made[wanted]
