"""Parts of the worker that look after what users have saved."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import DatabaseError, connection

from gateway.inventory.turns import Part
from gateway.saved import outbox, watching

_MEASURE_SECONDS = 5.0


def parts() -> dict[str, Part]:
    """The parts by name: those that send events, look at watched searches, and measure both."""
    return {"saved-events": outbox.run, "watches": watching.run, "measure-saved": _measure}


def _measure(stopping: threading.Event, _leads: Callable[[], bool]) -> None:
    while not stopping.is_set():
        try:
            now = datetime.now(UTC)
            outbox.measure(now)
            watching.measure(now)
        except DatabaseError:
            connection.close()
        stopping.wait(_MEASURE_SECONDS)
