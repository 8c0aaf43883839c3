"""Operators: whom /admin/ lets in, what it shows, and what each log-in and change leaves behind."""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.admin import UserAdmin
from django.db import DatabaseError, DataError, IntegrityError, OperationalError
from django.test import Client
from pytest_django import Settings

from gateway.http import rate_limits
from gateway.identity import administration
from gateway.identity.api_keys import find_key, issue_key
from gateway.identity.login import log_in_with_password
from gateway.identity.models import RefreshFamily, Role, User
from gateway.identity.refresh_tokens import refresh_token, renew, start_family
from kit.kafka import KafkaSettings
from tests.support.gateway import INDEX, FindEvents

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def administrator(stack: Settings) -> User:
    """The operator who does the changes."""
    del stack
    rate_limits.memory.clear()
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
def test_no_other_user_gets_in(role: Role, client: Client) -> None:
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


def test_a_session_is_no_credential_for_the_api(client: Client) -> None:
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
    assert client.get(f"/admin/identity/{page}").status_code == 200


def test_a_user_is_made_and_given_a_role_and_that_is_an_event(client: Client, find_events: FindEvents) -> None:
    _log_in(client)
    made = client.post(
        "/admin/identity/user/add/",
        {
            "username": "ayse",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "role": "auditor",
            "granted_indices": f'["{INDEX}"]',
            "writable_types": '["product"]',
        },
    )
    assert made.status_code == 302
    user = User.objects.get(username="ayse")
    assert (user.role, user.granted_indices, user.check_password(PASSWORD)) == (Role.AUDITOR, [INDEX], True)
    assert user.writable_types == ["product"]
    (event,) = find_events(made["X-Request-ID"])
    assert event["data"]["query"] == (
        f'add user "ayse": username "ayse", password, role "auditor", granted_indices ["{INDEX}"], '
        'writable_types ["product"]'
    )
    assert PASSWORD not in str(event)


def test_a_user_made_in_decomposed_letters_has_the_composed_name(client: Client) -> None:
    _log_in(client)
    asked = {"username": unicodedata.normalize("NFD", "jürgen"), "usable_password": "true", "role": "searcher"}
    asked |= {"password1": PASSWORD, "password2": PASSWORD, "granted_indices": '["*"]'}
    assert client.post("/admin/identity/user/add/", asked).status_code == 302
    known = User.objects.get(username="jürgen")
    assert log_in_with_password("jürgen", PASSWORD, "127.0.0.1") == known


def test_an_index_that_cannot_be_searched_is_refused_in_a_form(client: Client) -> None:
    ayse = User.objects.create_user("ayse", PASSWORD)
    _log_in(client)
    asked = {"username": "ayse", "role": "auditor", "granted_indices": '["devcies"]'}
    refused = client.post(f"/admin/identity/user/{ayse.pk}/change/", asked)
    assert refused.status_code == 200
    assert "not among GATEWAY_SEARCH_INDICES" in refused.content.decode()
    ayse.refresh_from_db()
    assert (ayse.role, ayse.granted_indices) == ("searcher", ["*"])


def test_a_change_of_rights_is_an_event_that_says_from_what_to_what(client: Client, find_events: FindEvents) -> None:
    ayse = User.objects.create_user("ayse", PASSWORD)
    _log_in(client)
    page = f"/admin/identity/user/{ayse.pk}/change/"
    # is_active is not ticked
    asked = {"username": "ayse", "role": "auditor", "granted_indices": f'["{INDEX}"]', "writable_types": "[]"}
    changed = client.post(page, asked)
    ayse.refresh_from_db()
    assert (changed.status_code, ayse.role, ayse.granted_indices, ayse.is_active) == (
        302,
        "auditor",
        [INDEX],
        False,
    )
    (event,) = find_events(changed["X-Request-ID"])
    assert (event["event_type"], event["user_id"], event["data"]["status"]) == ("admin.changed", "operator", 302)
    assert event["metadata"]["auth_scheme"] == "admin-session"
    assert event["data"]["query"] == (
        f'change user "ayse": role "searcher" to "auditor", granted_indices ["*"] to ["{INDEX}"], '
        "is_active true to false"
    )
    assert find_events(client.post(page, asked)["X-Request-ID"]) == []
    assert find_events(client.post(page, asked | {"role": "king"})["X-Request-ID"]) == []


@pytest.mark.parametrize("whose", ["operator", "ayse"])
def test_a_change_of_a_password_is_an_event_without_it(whose: str, client: Client, find_events: FindEvents) -> None:
    ayse = User.objects.create_user("ayse", PASSWORD)
    _log_in(client)
    new = "another horse, another battery"
    asked = {"password1": new, "password2": new, "usable_password": "true"}
    page = f"/admin/identity/user/{ayse.pk}/password/"
    if whose == "operator":
        asked = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        page = "/admin/password_change/"
    changed = client.post(page, asked)
    assert changed.status_code == 302
    assert User.objects.get(username=whose).check_password(new)
    (event,) = find_events(changed["X-Request-ID"])
    assert (event["user_id"], event["data"]["query"]) == ("operator", f'change user "{whose}": password')


def test_deleting_users_is_one_event_that_names_them(client: Client, find_events: FindEvents) -> None:
    users = [User.objects.create_user(name) for name in ("ayse", "can")]
    _log_in(client)
    asked = {"action": "delete_selected", "_selected_action": [user.pk for user in users], "post": "yes"}
    gone = client.post("/admin/identity/user/", asked)
    assert not User.objects.filter(username__in=("ayse", "can")).exists()
    (event,) = find_events(gone["X-Request-ID"])
    assert sorted(event["data"]["query"].split("; ")) == ['delete user "ayse"', 'delete user "can"']


def test_a_change_that_cannot_be_recorded_is_not_made(
    client: Client, administrator: User, stack: Settings, closed_port: int
) -> None:
    ayse = User.objects.create_user("ayse", PASSWORD)
    key, text = issue_key(administrator, "nightly export")
    _log_in(client)
    stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 0.2, "spool_bytes": 1})
    for page, asked in {
        f"/admin/identity/user/{ayse.pk}/change/": {"username": "ayse", "role": "admin", "granted_indices": "[]"},
        f"/admin/identity/user/{ayse.pk}/delete/": {"post": "yes"},
        f"/admin/identity/user/{ayse.pk}/password/": {"usable_password": "false", "unset-password": "1"},
        "/admin/identity/apikey/": {"action": "revoke", "_selected_action": key.id},
    }.items():
        response = client.post(page, asked)
        assert response.status_code == 503, page
        assert response.json()["code"] == "audit_unavailable"
    same = User.objects.get(username="ayse")
    assert (same.role, same.is_active, same.check_password(PASSWORD)) == (Role.SEARCHER, True, True)
    assert find_key(text, datetime.now(UTC)) is not None
    assert "success" not in client.get("/admin/").content.decode()


def test_a_key_is_shown_without_its_digest_and_revoked(
    client: Client, administrator: User, find_events: FindEvents
) -> None:
    key, text = issue_key(administrator, "nightly export")
    _log_in(client)
    for page in ("/admin/identity/apikey/", f"/admin/identity/apikey/{key.id}/change/"):
        shown = client.get(page)
        assert shown.status_code == 200
        assert key.digest not in shown.content.decode()
    revoked = client.post("/admin/identity/apikey/", {"action": "revoke", "_selected_action": key.id})
    assert find_key(text, datetime.now(UTC)) is None
    (event,) = find_events(revoked["X-Request-ID"])
    assert event["data"]["query"] == f'change api key "nightly export ({key.id})": revoked, of operator'


@pytest.mark.parametrize(
    ("error", "status"),
    [(DataError("a NUL"), 400), (IntegrityError("a name twice"), 503), (OperationalError("gone"), 503)],
)
def test_a_fault_of_the_database_is_a_problem(
    error: DatabaseError, status: int, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _log_in(client)
    monkeypatch.setattr(UserAdmin, "get_object", Mock(side_effect=error))
    for answer in (client.get("/admin/identity/user/1/change/"), client.post("/admin/identity/user/1/change/", {})):
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


def test_a_log_in_is_ended(client: Client, administrator: User, find_events: FindEvents) -> None:
    now = datetime.now(UTC)
    family = start_family(administrator, now)
    assert renew(refresh_token(family), now)
    _log_in(client)
    ended = client.post("/admin/identity/refreshfamily/", {"action": "revoke", "_selected_action": family.pk})
    assert RefreshFamily.objects.get().revoked_at is not None
    (event,) = find_events(ended["X-Request-ID"])
    assert event["data"]["query"] == f'change refresh family "{family.pk}": ended, of operator'


@pytest.mark.parametrize("change", [{"role": "searcher", "is_active": "on"}, {"role": "admin"}])
def test_the_last_administrator_stays(change: dict[str, str], client: Client, administrator: User) -> None:
    _log_in(client)
    page = f"/admin/identity/user/{administrator.pk}/"
    members = {"username": "operator", "granted_indices": '["*"]', **change}
    assert "This is the last administrator" in client.post(f"{page}change/", members).content.decode()
    assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    administrator.refresh_from_db()
    assert (administrator.role, administrator.is_active) == (Role.ADMIN, True)
    User.objects.create_superuser("second", PASSWORD)
    assert client.post(f"{page}change/", members).status_code == 302


@pytest.mark.parametrize("change", [{"role": "searcher", "is_active": "on"}, {"role": "admin"}, None])
def test_of_two_administrators_who_remove_each_other_at_once_one_stays(
    change: dict[str, str] | None, client: Client, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_superuser("second", PASSWORD)
    hold = administration.hold_administrators

    def wait_for_the_other() -> set[int]:
        User.objects.filter(username="second").update(role=Role.SEARCHER)
        return hold()

    _log_in(client)
    page = f"/admin/identity/user/{administrator.pk}/"
    monkeypatch.setattr(administration, "hold_administrators", wait_for_the_other)
    if change is None:
        assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    else:
        members = {"username": "operator", "granted_indices": '["*"]', **change}
        assert "This is the last administrator" in client.post(f"{page}change/", members).content.decode()
    administrator.refresh_from_db()
    assert (administrator.role, administrator.is_active) == (Role.ADMIN, True)


def test_the_last_administrators_are_not_deleted_together(client: Client, administrator: User) -> None:
    second = User.objects.create_superuser("second", PASSWORD)
    _log_in(client)
    asked = {"action": "delete_selected", "_selected_action": [administrator.pk, second.pk], "post": "yes"}
    assert client.post("/admin/identity/user/", asked).status_code == 403
    assert User.objects.filter(role=Role.ADMIN).count() == 2
    asked["_selected_action"] = [second.pk]
    assert client.post("/admin/identity/user/", asked).status_code == 302
    assert User.objects.get(role=Role.ADMIN) == administrator
