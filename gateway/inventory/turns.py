"""Turns of the worker's parts: one after the other, while this worker leads, whatever fails in between."""

import logging
import threading
from collections.abc import Callable

from confluent_kafka import KafkaException
from django.db import DatabaseError, connection

from gateway.http.problems import Unavailable
from kit.logs import describe

Part = Callable[[threading.Event, Callable[[], bool]], None]
"""Part of the worker: runs until the event is set, and works while the function says that this worker leads."""


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


def _reason(error: DatabaseError | KafkaException | Unavailable) -> str:
    if isinstance(error, Unavailable):
        return error.detail
    return describe(error) if isinstance(error, DatabaseError) else str(error.args[0])
