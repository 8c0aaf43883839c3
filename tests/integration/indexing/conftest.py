"""Every test of the general machinery runs once for each projection: the audit sink's, and the inventory's."""

import pytest

from tests.support.trail import TRAILS, NewTrail, Trail


@pytest.fixture(params=TRAILS)
def trail(request: pytest.FixtureRequest, new_trail: NewTrail) -> Trail:
    """Topics and indices of the test's own, for each consumer in turn."""
    return new_trail(request.param)
