"""Health check of a kept connection to PostgreSQL, without a statement.

Why: Django asks ``SELECT 1`` before each request's first statement, which takes as long as that does. A server that has
ended the connection has said so, and its socket can be read; a silent one is found out by the keepalives (tcp(7)), and
by the time-out of the statement itself.
"""

import select
from functools import partial
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def check_by_socket(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receiver of Django's signal ``connection_created`` that checks a connection to PostgreSQL by its socket."""
    if connection.vendor == "postgresql":
        # On the object, as Django chooses its class.
        connection.is_usable = partial(_is_usable, connection)  # type: ignore[method-assign]


def _is_usable(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether nothing has come on the connection; if something has, a statement shows what it is."""
    connection = wrapper.connection
    poll = select.poll()
    if not connection.closed:
        poll.register(connection.pgconn.socket, select.POLLIN)
        if not poll.poll(0):
            return True
    return type(wrapper).is_usable(wrapper)
