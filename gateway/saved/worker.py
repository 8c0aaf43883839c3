"""Parts of the worker that look after what users have saved."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.inventory.turns import Part, keep_measuring
from gateway.saved import outbox, watching
from kit.logs import OncePerInterval

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_MEASURE_SECONDS = 5.0


def parts() -> dict[str, Part]:
    """The parts by name: those that send events, look at watched searches, and measure both."""
    return {"saved-events": outbox.run, "watches": watching.run, "measure-saved": _measure}


def _measure(stopping: threading.Event, _leads: Callable[[], bool]) -> None:
    trouble = "events and watches that wait are not counted"
    keep_measuring(_measure_once, stopping, logger=logger, trouble=trouble, seconds=_MEASURE_SECONDS)


def _measure_once() -> None:
    now = datetime.now(UTC)
    outbox.measure(now)
    watching.measure(now)
