"""Transactions of writers, tried again where others were in the way."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction

from gateway.http.deadline import time_left
from gateway.http.problems import Code, Unavailable
from gateway.inventory import metrics

logger = logging.getLogger(__name__)

_ATTEMPTS = 10
_SERIALIZATION_FAILURE = "40001"
_DEADLOCK = "40P01"
_BUSY = "SQLITE_BUSY"
"""SQLite's one writer at a time had no turn for this one, which waits without order."""

_T = TypeVar("_T")


class Overtaken(Exception):
    """Another transaction has changed something that this one relies on; it is to be tried again."""


def transact(work: Callable[[], _T]) -> _T:
    """Do work in one transaction, and again in a new one where another transaction was in its way.

    Args:
        work: may be called several times; it changes nothing but the database.

    Raises:
        Unavailable: others were in the way each time.
    """
    with metrics.WRITE_SECONDS.time():
        return _transact(work)


def _transact(work: Callable[[], _T]) -> _T:
    for attempt in range(_ATTEMPTS):
        metrics.WRITE_REPEATS.inc(attempt > 0)
        time_left(1.0)
        try:
            with transaction.atomic():
                return work()
        except (Overtaken, IntegrityError):
            # A unique row of another transaction, which the next attempt finds.
            continue
        except OperationalError as error:
            if _code(error) not in (_SERIALIZATION_FAILURE, _DEADLOCK, _BUSY):
                raise
    logger.warning("a write was given up after %d attempts, each overtaken by others", _ATTEMPTS)
    raise Unavailable(Code.OVERLOADED, "Too many others are writing the same documents; try again.")


def _code(error: OperationalError) -> str | None:
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
