"""Places for work that holds a thread."""

import pytest

from gateway.http.concurrency_limit import ConcurrencyLimit
from gateway.http.problems import Problem, Unavailable

_ADA, _GRACE, _MARY = 1, 2, 3


@pytest.fixture
def limit() -> ConcurrencyLimit:
    """Three places, two at most of one user."""
    return ConcurrencyLimit(3, 2, throttled="You have two.", overloaded="There are three.")


def test_a_user_has_no_more_than_a_user_s_and_all_no_more_than_there_are(limit: ConcurrencyLimit) -> None:
    limit.enter(_ADA)
    limit.enter(_ADA)
    with pytest.raises(Problem, match=r"You have two\.") as throttled:
        limit.enter(_ADA)
    assert (throttled.value.status, throttled.value.code) == (429, "throttled")
    assert int(throttled.value.headers["Retry-After"]) > 0
    limit.enter(_GRACE)
    with pytest.raises(Unavailable, match=r"There are three\.") as full:
        limit.enter(_MARY)
    assert full.value.code == "overloaded"


def test_a_place_that_is_given_back_can_be_taken_by_anybody(limit: ConcurrencyLimit) -> None:
    for user in (_ADA, _ADA, _GRACE):
        limit.enter(user)
    limit.leave(_ADA)
    limit.enter(_MARY)
    limit.leave(_MARY)
    limit.enter(_ADA)
    with pytest.raises(Problem, match=r"You have two\."):
        limit.enter(_ADA)
