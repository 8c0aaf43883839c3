"""Circuit breakers: a dependency that keeps failing is not called for a while, and its callers fail at once.

Why: one breaker of the ``circuitbreaker`` library for each dependency, address and process. Five failures in a row open
it; after five seconds one call tries again, chosen by a lock that nobody waits for, as the library would let every call
through. Only a missing answer or one outside the contract counts, and no time-out that was shortened by the request's
deadline. pybreaker holds its lock during a call. A failure rate over a window notices an outage later. Sharing breakers
by Redis saves five calls.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from circuitbreaker import (  # type: ignore[import-untyped]  # comes without types
    STATE_HALF_OPEN,
    STATE_OPEN,
    CircuitBreaker,
)

from gateway.http.metrics import CIRCUIT_OPEN, CONNECTIONS_IN_USE
from gateway.http.problems import Code, Problem, Unanswered, Unavailable

logger = logging.getLogger(__name__)

FAILURES = 5
"""So many calls in a row must fail before no more are made."""
RECOVERY_SECONDS = 5
"""After so long one call is made to see whether the dependency is back."""


class Circuit:  # pylint: disable=too-few-public-methods  # it does one thing
    """The breaker of one dependency.

    Args:
        name: the dependency's, in the metrics; written like a proper name if it is one.
        code: what a call raises when the dependency is at fault; any other problem, and ``Unanswered``, is
            none of its fault.
    """

    def __init__(self, name: str, code: Code) -> None:
        self._name = name
        self._who = name if name[0].isupper() else f"the {name}"
        self._code = code
        self._breaker = CircuitBreaker(FAILURES, RECOVERY_SECONDS, Unavailable, name)
        self._trial = threading.Lock()
        self._in_use = CONNECTIONS_IN_USE.labels(name)
        CIRCUIT_OPEN.labels(name).set(0)

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Make a call in here.

        Raises:
            Unavailable: no call is made for now.
        """
        state = self._breaker.state
        if state == STATE_OPEN or (state == STATE_HALF_OPEN and not self._trial.acquire(blocking=False)):
            raise Unavailable(
                self._code, f"{self._who[0].upper()}{self._who[1:]} has failed repeatedly and is left alone; try again."
            )
        self._in_use.inc()
        try:
            yield
        except Unavailable as error:
            if error.code is self._code and not isinstance(error, Unanswered):
                self._failed(error)
            raise
        except Problem:
            self._worked()
            raise
        else:
            self._worked()
        finally:
            self._in_use.dec()
            if state == STATE_HALF_OPEN:
                self._trial.release()

    def _worked(self) -> None:
        if not self._breaker.closed:
            logger.info("%s is back", self._who)
            CIRCUIT_OPEN.labels(self._name).set(0)
        self._breaker.reset()

    def _failed(self, error: Unavailable) -> None:
        was_closed = self._breaker.closed
        # The library has no other way to be told.
        self._breaker.__exit__(Unavailable, error, None)
        if was_closed and not self._breaker.closed:
            logger.error("%s failed %d times in a row and is left alone for a while", self._who, FAILURES)
            CIRCUIT_OPEN.labels(self._name).set(1)
