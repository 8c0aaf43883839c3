"""Limits of work that holds a thread for as long as its client takes: so many in a process, so many a user."""

import threading
from collections import Counter
from http import HTTPStatus

from gateway.http.problems import RETRY_AFTER_SECONDS, Code, Problem, Unavailable


class ConcurrencyLimit:
    """The work of one kind in this process, counted by users.

    Args:
        most: at once.
        of_user: of them of one user.
        throttled: says that the user has as many as one may have.
        overloaded: says that there are as many as there may be.
    """

    def __init__(self, most: int, of_user: int, *, throttled: str, overloaded: str) -> None:
        self._most = most
        self._of_user = of_user
        self._throttled = throttled
        self._overloaded = overloaded
        self._lock = threading.Lock()
        self._under_way: Counter[int] = Counter()

    def enter(self, user_id: int) -> None:
        """Take a place.

        Raises:
            Problem: 429, the user has as many as one may have.
            Unavailable: all are taken.
        """
        with self._lock:
            if self._under_way[user_id] >= self._of_user:
                raise Problem(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    Code.THROTTLED,
                    self._throttled,
                    headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
                )
            if self._under_way.total() >= self._most:
                raise Unavailable(Code.OVERLOADED, self._overloaded)
            self._under_way[user_id] += 1

    def leave(self, user_id: int) -> None:
        """Give the place back."""
        with self._lock:
            self._under_way[user_id] -= 1
            self._under_way += Counter()  # drops the zeros
