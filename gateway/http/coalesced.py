"""Coalesced calls: one call for all threads that need its result at the same time."""

import threading
from collections.abc import Callable, Hashable
from functools import partial
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

Result = TypeVar("Result")


class Coalesced(Generic[Result]):  # pylint: disable=too-few-public-methods  # it is called
    """A call whose result goes to every caller that asked before it began.

    One call is under way at a time. A caller that asks meanwhile needs a newer result, and so waits for the next call,
    which is one for all of them.

    Args:
        call: makes the call; it ends within a time of its own.
    """

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._changed = threading.Condition()
        self._begun = 0
        self._is_running = False
        self._result: tuple[int, Result | None, Exception | None] = (0, None, None)

    def __call__(self) -> Result:
        """Return the result of a call that began no earlier than now.

        Raises:
            Exception: whatever the call has raised.
        """
        with self._changed:
            wanted = self._begun + 1
            while self._result[0] < wanted:
                if not self._is_running:
                    self._begun += 1
                    self._is_running = True
                    break
                self._changed.wait()
            else:
                return self._outcome()
        return self._run()

    def _run(self) -> Result:
        result: Result | None = None
        error: Exception | None = None
        try:
            result = self._call()
        except Exception as raised:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # each caller gets it
            error = raised
        with self._changed:
            self._result = (self._begun, result, error)
            self._is_running = False
            self._changed.notify_all()
            return self._outcome()

    def _outcome(self) -> Result:
        _, result, error = self._result
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # a call without an error has a result


class CoalescedByKey(Generic[Result]):  # pylint: disable=too-few-public-methods  # it is called
    """Coalesced calls, those of each key by themselves; nothing is kept of a key that nobody waits for.

    Args:
        call: makes the call of a key, which are its arguments.
    """

    def __init__(self, call: Callable[..., Result]) -> None:
        self._call = call
        self._lock = threading.Lock()
        # Each is held by those who wait for it. A cache of a fixed size could lose one that somebody waits for.
        self._awaited: WeakValueDictionary[tuple[Hashable, ...], Coalesced[Result]] = WeakValueDictionary()

    def __call__(self, *key: Hashable) -> Result:
        """Return the result of a call of this key that began no earlier than now.

        Raises:
            Exception: whatever the call has raised.
        """
        with self._lock:
            coalesced = self._awaited.setdefault(key, Coalesced(partial(self._call, *key)))
        return coalesced()
