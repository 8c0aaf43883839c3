"""Operators: whom /admin/ lets in, what it shows, and what each log-in and change leaves behind."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from gateway import rates
from gateway.keys import find_key, issue_key
from gateway.models import RefreshFamily, Role, User
from gateway.refresh import refresh_token, renew, start_family

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def administrator(stack: Settings) -> User:
    """Who runs the place."""
    del stack
    rates._memory.cache_clear()  # pylint: disable=protected-access  # the counters of this process
    return User.objects.create_superuser("operator", PASSWORD)


def _log_in(client: Client, username: str = "operator", password: str = PASSWORD) -> Any:
    return client.post("/admin/login/?next=/admin/", {"username": username, "password": password})


def test_an_administrator_logs_in_and_the_log_in_is_an_event(
    client: Client, events: Callable[[], Iterator[dict[str, Any]]]
) -> None:
    response = _log_in(client)
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    cookie = response.cookies["sessionid"]
    assert (cookie["path"], cookie["secure"], cookie["httponly"], cookie["samesite"]) == (
        "/admin/",
        True,
        True,
        "Strict",
    )
    assert client.get("/admin/").status_code == 200
    request_id = response["X-Request-ID"]
    (event,) = [event for event in events() if event["metadata"]["request_id"] == request_id]
    assert (event["event_type"], event["user_id"]) == ("auth.succeeded", "operator")


@pytest.mark.parametrize("role", [Role.SEARCHER, Role.AUDITOR])
def test_nobody_else_gets_in(role: Role, client: Client) -> None:
    User.objects.create_user("other", PASSWORD, role=role)
    assert "no administrator" in _log_in(client, "other").content.decode()
    assert client.get("/admin/").status_code == 302


def test_failures_count_for_the_api_too(client: Client, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"login_failures": "2/hour"})
    for _ in range(2):
        assert "wrong" in _log_in(client, password="mistyped").content.decode()
    assert "try again in" in _log_in(client).content.decode()
    body = {"username": "operator", "password": PASSWORD}
    assert client.post("/auth/token", body, content_type="application/json").status_code == 429


def test_a_form_without_its_token_is_refused() -> None:
    assert _log_in(Client(enforce_csrf_checks=True)).status_code == 403


def test_a_session_is_nobody_to_the_api(client: Client) -> None:
    _log_in(client)
    assert client.get("/auth/me").status_code == 401
    assert client.get("/fields").status_code == 401


def test_the_api_sets_no_cookie(client: Client) -> None:
    assert not client.get("/healthz").cookies
    assert not client.get("/auth/me", headers={"Authorization": "Octoxlabs b2N0b0FkbWlu"}).cookies


@pytest.mark.parametrize("page", ["user/", "user/add/", "apikey/", "refreshfamily/"])
def test_every_page_can_be_read(page: str, client: Client, administrator: User) -> None:
    issue_key(administrator, "nightly export")
    start_family(administrator, datetime.now(UTC))
    _log_in(client)
    assert client.get(f"/admin/gateway/{page}").status_code == 200


def test_a_user_is_made_and_given_a_role(client: Client) -> None:
    _log_in(client)
    made = client.post(
        "/admin/gateway/user/add/",
        {
            "username": "ayse",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "role": "auditor",
            "granted_indices": '["devices"]',
        },
    )
    assert made.status_code == 302
    user = User.objects.get(username="ayse")
    assert (user.role, user.granted_indices, user.check_password(PASSWORD)) == (Role.AUDITOR, ["devices"], True)


def test_a_key_is_shown_without_its_digest_and_revoked(client: Client, administrator: User) -> None:
    key, text = issue_key(administrator, "nightly export")
    _log_in(client)
    for page in ("/admin/gateway/apikey/", f"/admin/gateway/apikey/{key.id}/change/"):
        shown = client.get(page)
        assert shown.status_code == 200
        assert key.digest not in shown.content.decode()
    client.post("/admin/gateway/apikey/", {"action": "revoke", "_selected_action": key.id})
    assert find_key(text, datetime.now(UTC)) is None


def test_a_log_in_is_ended(client: Client, administrator: User) -> None:
    now = datetime.now(UTC)
    family = start_family(administrator, now)
    assert renew(refresh_token(family), now)
    _log_in(client)
    client.post("/admin/gateway/refreshfamily/", {"action": "revoke", "_selected_action": family.pk})
    assert RefreshFamily.objects.get().revoked_at is not None
