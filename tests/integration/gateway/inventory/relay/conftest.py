"""Parts of the tests of relay and rebuild: an inventory of the test's own on real servers, and its indexer."""

import pytest
from pytest_django import Settings

from tests.support.inventory_stack import InventoryStack
from tests.support.sink import InventoryTrail, NewTrail


@pytest.fixture
def trail(new_trail: NewTrail) -> InventoryTrail:
    """Topics and an index of the test's own."""
    made = new_trail("inventory")
    assert isinstance(made, InventoryTrail)
    return made


@pytest.fixture
def stack(trail: InventoryTrail, settings: Settings, transactional_db: None) -> InventoryStack:
    """The inventory with one type."""
    del transactional_db
    return InventoryStack(trail, settings)
