"""Questions to the database from the event loop: a few threads ask, each with its connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from django.db import DatabaseError, close_old_connections, connection

from gateway.http.database_timeout import at_most

THREADS = 4
_SECONDS = 5.0

_T = TypeVar("_T")
_threads = ThreadPoolExecutor(THREADS, "database")


async def ask(question: Callable[[], _T]) -> _T:
    """Run what uses the database, or waits for the audit trail, in a thread.

    Raises:
        DatabaseError: among others of the question's own.
    """
    return await asyncio.get_running_loop().run_in_executor(_threads, copy_context().run, _asked, question)


def _asked(question: Callable[[], _T]) -> _T:
    close_old_connections()
    try:
        with at_most(_SECONDS):
            return question()
    except DatabaseError:
        # Nobody knows what state it is in; another one is made for the next question.
        connection.close()
        raise
