"""Parts of the tests of relay and rebuild: an inventory of the test's own on real servers, and its indexer."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker, Settings

from gateway.http.database import read_database_url
from tests.support.inventory_stack import InventoryStack
from tests.support.postgresql import PostgreSQL, postgresql
from tests.support.trail import InventoryTrail, NewTrail


@pytest.fixture
def trail(new_trail: NewTrail) -> InventoryTrail:
    """Topics and an index of the test's own."""
    made = new_trail("inventory")
    assert isinstance(made, InventoryTrail)
    return made


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL server."""
    with postgresql() as running:  # pylint: disable=contextmanager-generator-missing-cleanup
        yield running


@pytest.fixture
def server(
    postgresql_server: PostgreSQL, django_db_blocker: DjangoDbBlocker, transactional_db: None
) -> Iterator[PostgreSQL]:
    """PostgreSQL as the database of this thread, empty; the one that it stands for is made before, and there again."""
    del transactional_db
    with django_db_blocker.unblock():
        before = connections["default"]
        connections["default"] = ConnectionHandler({"default": read_database_url(postgresql_server.url)})["default"]
        try:
            call_command("migrate", verbosity=0)
            yield postgresql_server
            call_command("flush", verbosity=0, interactive=False)
        finally:
            connections["default"].close()
            connections["default"] = before


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, transactional_db: None) -> None:
    """One database after the other."""
    del transactional_db  # asked for by name, as only then is it made where no other test asks for it
    if request.param == "postgresql":
        request.getfixturevalue("server")


@pytest.fixture
def stack(trail: InventoryTrail, settings: Settings, database: None) -> InventoryStack:
    """The inventory with one type."""
    del database
    return InventoryStack(trail, settings)
