"""Kinto on PostgreSQL, in a virtual environment of its own: the documents of the inventory in one of its collections.

``python -m tests.benchmarks.inventory_peer`` makes its tables once, since workers that did so at once would be in each
other's way. ``granian --interface wsgi --factory tests.benchmarks.inventory_peer:application`` serves it, on the server
that the gateway has too; ``KINTO_DATABASE_URL`` is SQLAlchemy's. Its settings are those of its documentation for
PostgreSQL, with the cheapest of its ways to authenticate.
https://docs.kinto-storage.org/en/stable/configuration/settings.html
"""

import os
from typing import Any

AUTHORIZATION = "Basic YmVuY2g6YmVuY2g="
COLLECTION = "/v1/buckets/bench/collections/products"


def application() -> Any:
    """The application, whose tables are there."""
    # pylint: disable=import-outside-toplevel,import-error  # it lives in a virtual environment of its own
    from kinto import main

    url = os.environ["KINTO_DATABASE_URL"]
    rooms = ("storage", "permission", "cache")
    settings = {f"kinto.{room}_backend": f"kinto.core.{room}.postgresql" for room in rooms}
    settings |= {f"kinto.{room}_url": url for room in rooms}
    settings |= {
        "kinto.userid_hmac_secret": "only for this benchmark",
        "multiauth.policies": "basicauth",
        "kinto.bucket_create_principals": "system.Authenticated",
    }
    return main({"command": "start"}, **settings)


def make_tables() -> None:
    """Make the application's tables."""
    # pylint: disable=import-outside-toplevel,import-error  # as above
    from kinto.core.scripts import migrate

    migrate({"registry": application().registry})


if __name__ == "__main__":
    make_tables()
