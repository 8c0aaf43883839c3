"""``/auth/users`` against the real trail: administrators and users, and each other."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from gateway.identity.administration import is_last_administrator
from gateway.identity.models import Role, User
from gateway.identity.user_views import PAGE
from tests.support.gateway import FindEvents
from tests.support.identity import OTHER_PASSWORD, PASSWORD, Ask, is_refused

Change = Callable[..., Any]


@pytest.fixture
def token(ask: Ask) -> str:
    """The token of an administrator."""
    User.objects.create_superuser("operator", PASSWORD)
    return _token(ask, "operator")


@pytest.fixture
def change(client: Client, token: str) -> Change:
    """Changes a user with the ETag that there is, or another: method, name, ETag, X-Request-ID; the members."""

    def send(method: str, name: str, tag: str | None = "", request_id: str = "r", /, **members: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}", "X-Request-ID": request_id}
        if tag == "":
            tag = client.get(f"/auth/users/{name}", headers=headers).headers.get("ETag", '"x"')
        if tag is not None:
            headers["If-Match"] = tag
        send_request = client.patch if method == "PATCH" else client.delete
        return send_request(f"/auth/users/{name}", members, "application/merge-patch+json", headers=headers)

    return send


def _token(ask: Ask, name: str) -> str:
    token: str = ask("POST", "/auth/token", username=name, password=PASSWORD).json()["access_token"]
    return token


def test_an_administrator_makes_a_user_who_logs_in(ask: Ask, token: str) -> None:
    made = ask("POST", "/auth/users", token, username="ayse", password=PASSWORD, email="Ayse@example.com")
    assert made.status_code == 201
    assert (
        made.json().items()
        >= {
            "username": "ayse",
            "email": "ayse@example.com",
            "email_verified": False,
            "role": "searcher",
            "indices": [],
            "active": True,
        }.items()
    )
    shown = ask("GET", "/auth/users/ayse", token)
    assert (shown.json(), shown["ETag"]) == (made.json(), made["ETag"])
    assert _token(ask, "ayse")


def test_an_administrator_makes_another_who_may_do_the_same(ask: Ask, token: str) -> None:
    assert ask("POST", "/auth/users", token, username="second", password=PASSWORD, role="admin").status_code == 201
    assert ask("GET", "/auth/users", _token(ask, "second")).status_code == 200


def test_a_user_without_a_password_cannot_log_in_by_one(ask: Ask, token: str) -> None:
    ask("POST", "/auth/users", token, username="ayse")
    assert is_refused(ask("POST", "/auth/token", username="ayse", password=PASSWORD))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "octoAdmin"},
        {"username": "a b"},
        {"username": "ayse", "role": "root"},
        {"username": "ayse", "indices": ["unknown"]},
        {"username": "ayse", "indices": "*"},
        {"username": "ayse", "writable_types": ["No Type"]},
        {"username": "ayse", "password": "short"},
        {"username": "ayse", "email": "ayse"},
        {"username": "ayse", "email": "taken@example.com"},
        {"username": "ayse", "is_staff": True},
        {"username": "ayse", "active": True},
    ],
)
def test_what_a_user_cannot_be_is_refused(body: dict[str, Any], ask: Ask, token: str) -> None:
    User.objects.create_user("taken", email="taken@example.com")
    before = User.objects.count()
    answer = ask("POST", "/auth/users", token, **body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert User.objects.count() == before


def test_users_are_listed_by_name_in_pages(ask: Ask, token: str) -> None:
    User.objects.bulk_create(User(username=f"user{number:03}") for number in range(PAGE))
    first = ask("GET", "/auth/users", token).json()
    rest = ask("GET", f"/auth/users?after={first['next']}", token).json()
    names = [user["username"] for page in (first, rest) for user in page["users"]]
    assert names == sorted(User.objects.values_list("username", flat=True))
    assert (len(first["users"]), rest["next"]) == (PAGE, None)
    assert ask("GET", "/auth/users?size=5", token).status_code == 400


def test_a_merge_patch_changes_what_it_has_and_nothing_else(change: Change) -> None:
    User.objects.create_user("ayse", PASSWORD, email="ayse@example.com", email_verified=True)
    answer = change("PATCH", "ayse", role="auditor", indices=["devices-gateway"], writable_types=["product"])
    assert answer.status_code == 200
    user = User.objects.get(username="ayse")
    assert (user.role, user.granted_indices, user.email_verified) == ("auditor", ["devices-gateway"], True)
    assert user.writable_types == ["product"]
    assert user.check_password(PASSWORD)
    assert change("PATCH", "ayse", email=None).json()["email"] is None
    user.refresh_from_db()
    assert (user.email, user.email_verified) == (None, False)


def test_a_change_takes_the_version_that_was_read(change: Change, ask: Ask, token: str) -> None:
    User.objects.create_user("ayse")
    read = ask("GET", "/auth/users/ayse", token)["ETag"]
    assert change("PATCH", "ayse", None, full_name="A").json()["code"] == "precondition_required"
    assert change("PATCH", "ayse", read, full_name="A").status_code == 200
    late = change("PATCH", "ayse", read, full_name="B")
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert late["ETag"] == ask("GET", "/auth/users/ayse", token)["ETag"]
    assert change("DELETE", "ayse", f"W/{late['ETag']}").status_code == 412
    assert change("PATCH", "ayse", "*", full_name="C").status_code == 200


def test_a_role_taken_away_and_a_user_deactivated_are_felt_at_once(ask: Ask, change: Change) -> None:
    User.objects.create_superuser("second", PASSWORD)
    second = _token(ask, "second")
    assert change("PATCH", "second", role="searcher").status_code == 200
    assert ask("GET", "/auth/users", second).status_code == 403
    assert change("DELETE", "second").status_code == 204
    assert is_refused(ask("GET", "/auth/me", second))
    assert change("PATCH", "second", active=True).status_code == 200
    assert is_refused(ask("GET", "/auth/me", second))
    assert ask("GET", "/auth/me", _token(ask, "second")).status_code == 200


def test_a_new_password_ends_the_user_s_log_ins(ask: Ask, change: Change) -> None:
    User.objects.create_user("ayse", PASSWORD)
    token = _token(ask, "ayse")
    assert change("PATCH", "ayse", password=OTHER_PASSWORD).status_code == 200
    assert is_refused(ask("GET", "/auth/me", token))


@pytest.mark.parametrize(
    "members",
    [
        {"role": "searcher"},
        {"active": False},
        {"indices": ["*"]},
        {"password": OTHER_PASSWORD},
        {"email": "a@b.example"},
    ],
)
def test_nobody_raises_or_removes_themselves(members: dict[str, Any], change: Change) -> None:
    User.objects.filter(username="operator").update(granted_indices=[])
    assert change("PATCH", "operator", **members).status_code == 403
    assert change("DELETE", "operator").status_code == 403
    operator = User.objects.get(username="operator")
    assert (operator.role, operator.is_active, operator.granted_indices) == ("admin", True, [])
    assert change("PATCH", "operator", full_name="The Operator").status_code == 200


@pytest.mark.usefixtures("token")
def test_the_last_administrator_is_known() -> None:
    operator = User.objects.get(username="operator")
    assert is_last_administrator(operator)
    second = User.objects.create_superuser("second")
    assert not is_last_administrator(operator)
    second.is_active = False
    second.save()
    assert is_last_administrator(operator)
    assert not is_last_administrator(second)


def test_a_token_of_somebody_who_is_no_administrator_any_more_changes_nothing(
    ask: Ask, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def demoted(*_: Any) -> bool:
        # Between the look at the role and the change, as another administrator may.
        with transaction.atomic():
            User.objects.filter(username="operator").update(role=Role.SEARCHER)
        return True

    monkeypatch.setattr("gateway.identity.administration.has_role", demoted)
    assert ask("POST", "/auth/users", token, username="ayse").status_code == 403
    assert not User.objects.filter(username="ayse").exists()


@pytest.mark.parametrize("role", ["searcher", "auditor"])
def test_others_neither_see_nor_change_users(role: str, ask: Ask, user: User) -> None:
    User.objects.filter(pk=user.pk).update(role=role)
    token = _token(ask, "octoAdmin")
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/octoAdmin"), ("PATCH", "/octoAdmin"), ("DELETE", "/x")):
        assert ask(method, f"/auth/users{path}", token).status_code == 403, (method, path)


def test_an_unsigned_header_of_an_administrator_is_not_enough(ask: Ask, user: User) -> None:
    User.objects.filter(pk=user.pk).update(role=Role.ADMIN)
    assert ask("GET", "/auth/users", "Octoxlabs b2N0b0FkbWlu").status_code == 403


def test_a_user_who_is_not_there_is_404(ask: Ask, token: str, change: Change) -> None:
    assert ask("GET", "/auth/users/nobody", token).status_code == 404
    assert change("PATCH", "nobody", role="admin").status_code == 404
    assert change("DELETE", "nobody").status_code == 404


def test_every_change_is_an_event_in_words_without_a_secret_or_an_address(
    ask: Ask, token: str, change: Change, find_events: FindEvents
) -> None:
    ask(
        "POST",
        "/auth/users",
        token,
        "users-made",
        username="ayse",
        role="auditor",
        email="a@b.example",
        password=PASSWORD,
    )
    change("PATCH", "ayse", "*", "users-changed", role="admin", password=OTHER_PASSWORD)
    change("PATCH", "ayse", "*", "users-nothing", role="admin")
    change("PATCH", "ayse", '"old"', "users-refused", role="searcher")
    change("DELETE", "ayse", "*", "users-ended")
    ask("GET", "/auth/users/ayse", token, "users-seen")
    ask("GET", "/auth/users/nobody", token, "users-sought")
    ask("GET", "/auth/users?after=a", token, "users-listed")
    expected = {
        "users-seen": ("auth.succeeded", 200, 'show user "ayse"'),
        "users-sought": ("auth.failed", 404, 'show user "nobody"'),
        "users-listed": ("auth.succeeded", 200, 'list users after "a"'),
        "users-made": ("admin.changed", 201, 'add user "ayse": email, role "auditor", password'),
        "users-changed": ("admin.changed", 200, 'change user "ayse": role "auditor" to "admin", password'),
        "users-nothing": ("auth.succeeded", 200, None),
        "users-refused": ("auth.failed", 412, None),
        "users-ended": ("admin.changed", 204, 'change user "ayse": active true to false'),
    }
    for request_id, wanted in expected.items():
        (event,) = find_events(request_id)
        assert (event["event_type"], event["data"]["status"], event["data"]["query"]) == wanted
        assert event["user_id"] == "operator"
        assert not any(secret in str(event) for secret in (PASSWORD, OTHER_PASSWORD, "a@b.example"))


def test_what_cannot_be_recorded_has_not_happened(
    ask: Ask, token: str, change: Change, without_trail: Callable[[], None], stack: Settings
) -> None:
    User.objects.create_user("ayse", PASSWORD)
    del stack
    without_trail()
    assert ask("POST", "/auth/users", token, username="new").status_code == 503
    assert change("PATCH", "ayse", "*", role="admin").status_code == 503
    assert change("DELETE", "ayse", "*").status_code == 503
    user = User.objects.get(username="ayse")
    assert (user.role, user.is_active, User.objects.filter(username="new").exists()) == ("searcher", True, False)
