"""Turns of the worker's parts: one after the other, while this worker leads, whatever fails in between."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaException
from django.db import DatabaseError, connection

from gateway.http.problems import Unavailable
from kit.logs import describe

logger = logging.getLogger(__name__)

_END_SECONDS = 15.0

Part = Callable[[threading.Event, Callable[[], bool]], None]
"""Part of the worker: runs until the event is set, and works while the function says that this worker leads."""


class PartEnded(Exception):
    """A part of the worker has ended by an error of its own, and the worker with it."""


def run_parts(parts: Mapping[str, Callable[[threading.Event], None]], stopping: threading.Event) -> None:
    """Run the parts of the worker, each in a thread of its own, until ``stopping`` is set.

    An error that a part does not expect ends all of them: a worker that went on without one would look alive, and no
    other would take over from it.

    Args:
        parts: by name; each runs until the event is set.
        stopping: ends them.

    Raises:
        PartEnded: one has ended by such an error.
    """
    ended: list[str] = []

    def run(name: str, part: Callable[[threading.Event], None]) -> None:
        try:
            part(stopping)
        except Exception:  # pylint: disable=broad-exception-caught  # whatever it is
            logger.exception("the part %s of the worker has failed: the worker ends, and another takes over", name)
            ended.append(name)
            stopping.set()

    threads = [threading.Thread(target=run, args=each, name=each[0], daemon=True) for each in parts.items()]
    for thread in threads:
        thread.start()
    stopping.wait()
    logger.info("stopping")
    deadline = time.monotonic() + _END_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    logger.info("stopped")
    if ended:
        raise PartEnded(ended[0])


def take_turns(  # pylint: disable=too-many-arguments  # the texts and times of a loop
    turn: Callable[[], bool],
    stopping: threading.Event,
    leads: Callable[[], bool],
    *,
    logger: logging.Logger,
    trouble: str,
    idle: float,
    busy: float = 0.0,
    pause: float = 2.0,
) -> None:
    """Take turns until ``stopping`` is set, while this worker leads.

    Args:
        turn: does some of the work; whether there may be more.
        stopping: ends it.
        leads: whether this worker leads.
        logger: told of failures of a server, after which everything is tried again.
        trouble: the consequence of such a failure, in words.
        idle: seconds to wait where there is nothing to do.
        busy: seconds to wait where there may be more.
        pause: seconds to wait after a failure.
    """
    while not stopping.is_set():
        seconds = idle
        try:
            if leads() and turn():
                seconds = busy
        except (DatabaseError, KafkaException, Unavailable) as error:
            logger.error("%s: %s", trouble, _reason(error))
            connection.close()
            seconds = pause
        stopping.wait(seconds)


def keep_measuring(
    measure: Callable[[], None], stopping: threading.Event, *, logger: logging.Logger, trouble: str, seconds: float
) -> None:
    """Measure every so many seconds until ``stopping`` is set, whether this worker leads or not.

    Args:
        measure: sets gauges by what the database has.
        stopping: ends it.
        logger: told of failures of the database, during which the gauges stay as they were.
        trouble: the consequence of such a failure, in words.
        seconds: between two measures.
    """

    def turn() -> bool:
        measure()
        return False

    take_turns(turn, stopping, lambda: True, logger=logger, trouble=trouble, idle=seconds)


def _reason(error: DatabaseError | KafkaException | Unavailable) -> str:
    if isinstance(error, Unavailable):
        return error.detail
    return describe(error) if isinstance(error, DatabaseError) else str(error.args[0])
