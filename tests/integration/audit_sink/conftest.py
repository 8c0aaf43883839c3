"""The tests of the audit projection and of its commands: each has a trail of its own."""

import pytest

from tests.support.trail import NewTrail, Trail


@pytest.fixture
def trail(new_trail: NewTrail) -> Trail:
    """Topics and indices of the test's own."""
    return new_trail("audit")
