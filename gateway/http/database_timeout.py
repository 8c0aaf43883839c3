"""Time limit of a database statement on the gateway's side, for a PostgreSQL that stands still.

Why: against a frozen machine or disk neither ``connect_timeout`` nor ``statement_timeout`` helps, and every thread
would wait. So psycopg's wait for an answer has a limit too, set on each new connection by a signal. A database backend
of our own would be a package for three lines; cancelling asks the very server that stands still.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    # Loading it takes a tenth of a second, and a gateway on SQLite has no use for it.
    import psycopg

_seconds: ContextVar[float] = ContextVar("seconds", default=12.0)
"""A little more than PostgreSQL's own limit, which leaves the connection as it was."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Give a statement in here no more time than that; to make a connection takes as long as ever."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def limit_statements(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receiver of Django's signal ``connection_created`` that limits the statements of a connection to PostgreSQL."""
    if connection.vendor == "postgresql":
        # On the object, as Django chooses its class; the method is told its connection, which `partial` does.
        connection.connection.wait = partial(_wait, connection.connection)


def _wait(connection: "psycopg.Connection[Any]", statement: Any, **options: Any) -> Any:
    """Run a statement within the time-out.

    Raises:
        psycopg.OperationalError: among other reasons, that has passed; the connection, which awaits the answer still,
            is closed.
    """
    try:
        return type(connection).wait(connection, statement, **{"timeout": _seconds.get()} | options)
    except connection.OperationalError:  # as the module's (PEP 249, optional extensions)
        if connection.info.transaction_status.name == "ACTIVE":
            connection.close()
        raise
