"""The users' database: what its URL means to Django; pure."""

import dj_database_url

_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgres://", "postgresql://")
_CONNECT_SECONDS = 3
_STATEMENT_MILLISECONDS = 10_000
"""With the wait for a row that another transaction holds, which waits for Kafka at most once."""
_SILENT_MILLISECONDS = 10_000
"""After how long a connection is given up whose other end acknowledges nothing (tcp(7))."""
_KEEPALIVES = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}
"""An idle one is asked for a sign of life, in seconds."""


def read_database_url(url: str) -> dj_database_url.DBConfig:
    """Make Django's settings of a database URL.

    Threads keep their connections, as requests come to the same few threads again and again
    (https://docs.djangoproject.com/en/5.2/ref/databases/#persistent-database-connections); each is looked at before a
    request uses it, so that a database that was away is found again.

    Args:
        url: ``sqlite:///`` and a path, relative to the working directory unless a fourth slash makes it absolute; or
            ``postgres://user:password@host:port/name``, with libpq's parameters as its query string.

    Raises:
        ValueError: it is neither; says nothing of what is in it.
    """
    if url.startswith(_SQLITE) and url != _SQLITE:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix(_SQLITE),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
                "transaction_mode": "IMMEDIATE",
            },
        }
    if url.startswith(_POSTGRESQL):
        try:
            read = dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True)
        except ValueError:
            read = {}
        if read.get("NAME"):
            read["OPTIONS"] = {
                "connect_timeout": _CONNECT_SECONDS,
                "application_name": "sluice-gateway",
                "options": f"-c statement_timeout={_STATEMENT_MILLISECONDS}",
                "tcp_user_timeout": _SILENT_MILLISECONDS,
                **_KEEPALIVES,
                **read.get("OPTIONS", {}),
            }
            return read
    raise ValueError(
        "must be sqlite:/// and a path, or postgres://user:password@host:port/name, each part of it percent-encoded"
    )
