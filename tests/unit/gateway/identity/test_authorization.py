"""Roles and index grants."""

import pytest
from pytest_django import Settings

from gateway.http.problems import Code, Problem
from gateway.identity.authorization import QUERY_LOGS, has_role, require_index, searchable_indices, wanted_index
from gateway.identity.models import EVERY_INDEX, Role, User


@pytest.fixture(autouse=True)
def two_indices(settings: Settings) -> None:
    """The indices that are configured."""
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"search_indices": ("devices", "assets")})


def _refusal(user: User, index: str) -> Problem:
    with pytest.raises(Problem) as refused:
        require_index(user, index)
    assert (refused.value.status, refused.value.code) == (403, Code.FORBIDDEN)
    return refused.value


def test_where_no_index_is_named_the_first_that_the_caller_may_search_is_meant() -> None:
    assert wanted_index(User(), None) == "devices"
    assert wanted_index(User(granted_indices=["assets"]), None) == "assets"
    assert wanted_index(User(granted_indices=["assets"]), "devices") == "devices"
    assert wanted_index(User(granted_indices=[]), None) == "devices"


def test_a_user_of_whom_nothing_else_was_said_may_search_every_configured_index() -> None:
    user = User(username="octoAdmin")
    assert searchable_indices(user) == ("devices", "assets")
    require_index(user, "devices")
    require_index(user, "assets")


def test_a_grant_reaches_no_further_than_the_configuration() -> None:
    user = User(granted_indices=["users", "assets"])
    assert searchable_indices(user) == ("assets",)
    _refusal(user, "users")


def test_without_grants_nothing_can_be_searched() -> None:
    user = User(granted_indices=[])
    assert not searchable_indices(user)
    _refusal(user, "devices")


@pytest.mark.parametrize("index", ["users", "devices*", "devices,assets", "_all", "../devices", "", EVERY_INDEX])
@pytest.mark.parametrize("role", Role)
def test_any_other_index_is_forbidden_whoever_asks(index: str, role: Role) -> None:
    _refusal(User(role=role), index)


def test_a_refusal_does_not_tell_whether_the_index_exists() -> None:
    user = User(granted_indices=["devices"])
    known, unknown = _refusal(user, "assets"), _refusal(user, "nothing")
    assert known.detail.replace("assets", "nothing") == unknown.detail


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
def test_auditors_and_administrators_may_search_the_audit_trail_whatever_they_are_granted(role: Role) -> None:
    user = User(role=role, granted_indices=[])
    assert searchable_indices(user) == (QUERY_LOGS,)
    require_index(user, QUERY_LOGS)


@pytest.mark.parametrize("grants", [[EVERY_INDEX], [QUERY_LOGS], ["query-logs-2026.11.21"]])
def test_a_searcher_may_not_search_the_audit_trail_whatever_they_are_granted(grants: list[str]) -> None:
    user = User(granted_indices=grants)
    _refusal(user, QUERY_LOGS)
    _refusal(user, "query-logs-2026.11.21")


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
def test_the_audit_trail_has_one_name_and_no_other_pattern_reaches_it(role: Role) -> None:
    for index in ("query-logs-2026.11.21", "query-logs-2026.*", "query-logs", "*"):
        _refusal(User(role=role), index)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.SEARCHER, [Role.SEARCHER]),
        (Role.AUDITOR, [Role.SEARCHER, Role.AUDITOR]),
        (Role.ADMIN, [Role.SEARCHER, Role.AUDITOR, Role.ADMIN]),
    ],
)
def test_a_role_may_do_what_those_below_it_may(role: Role, allowed: list[Role]) -> None:
    user = User(role=role)
    assert [wanted for wanted in Role if has_role(user, wanted)] == allowed
