"""Parts of the tests of the inventory's indexer."""

import pytest

from tests.support.trail import NewTrail, Trail


@pytest.fixture
def trail(new_trail: NewTrail) -> Trail:
    """Topics and an index of the test's own."""
    return new_trail("inventory")
