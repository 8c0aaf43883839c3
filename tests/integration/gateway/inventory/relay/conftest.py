"""Parts of the tests of relay and rebuild: an inventory of the test's own on real servers, and its indexer."""

import pytest
from pytest_django import Settings

from tests.support.inventory_stack import InventoryStack
from tests.support.sink import NewTrail, Trail


@pytest.fixture
def trail(new_trail: NewTrail) -> Trail:
    """Topics and an index of the test's own."""
    return new_trail("inventory")


@pytest.fixture
def stack(trail: Trail, settings: Settings, transactional_db: None) -> InventoryStack:
    """The inventory with one type."""
    del transactional_db
    return InventoryStack(trail, settings)
