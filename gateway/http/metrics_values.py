"""Values of metrics that are counted in memory, and written to the file of their process once a second.

Why: prometheus_client writes each count to the file under one lock for the whole process, on the way of the request; a
search counts eighteen times. A killed process loses the counts of a second, and no event.
"""

import os
import threading
from typing import Any

import prometheus_client.values
from prometheus_client.values import MultiProcessValue, MutexValue

SECONDS = 1.0
"""Age that a worker's figures of the others may have."""

_Written: Any = MultiProcessValue()  # type: ignore[no-untyped-call]  # comes without types
_values: list["CountedValue"] = []


class CountedValue(MutexValue):
    """A float that this process counts, and writes when it is told to."""

    _multiprocess = True

    def __init__(self, *parameters: Any, **options: Any) -> None:
        super().__init__(*parameters, **options)  # type: ignore[no-untyped-call]  # as above
        self._written = _Written(*parameters, **options)
        self._last = self._value = self._written.get()
        _values.append(self)

    def write(self) -> None:
        """Write it, if it has changed."""
        value = self.get()  # type: ignore[no-untyped-call]  # as above
        if value != self._last:
            self._written.set(value)
            self._last = value

    def forget(self) -> None:
        """Begin anew, in a process that has just been forked; its file is another."""
        self._lock = threading.Lock()
        self._last = self._value = 0.0


def install() -> None:
    """Let every metric that is made from now on have such values; ``PROMETHEUS_MULTIPROC_DIR`` has to be set."""
    prometheus_client.values.ValueClass = CountedValue
    os.register_at_fork(after_in_child=_forget)


def write() -> None:
    """Write what has been counted until now."""
    for value in _values:
        value.write()


def keep_written() -> None:
    """Write again and again, in a thread, until the process ends."""
    threading.Thread(target=_write_until_the_end, name="metrics").start()


def _write_until_the_end() -> None:
    main = threading.main_thread()
    while main.is_alive():
        main.join(SECONDS)
        write()


def _forget() -> None:
    for value in _values:
        value.forget()
