"""``/auth/`` against the real trail: tokens, renewal, revocation, API keys, lock-out, and an event for each call."""

import base64
import io
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import SecretStr
from pytest_django import Settings
from rest_framework.exceptions import AuthenticationFailed

from gateway.identity.access_tokens import mint
from gateway.identity.api_keys import issue_key
from gateway.identity.models import ApiKey, DeniedToken, RefreshFamily, Role, User
from gateway.identity.proof import FRESH_LOG_IN
from gateway.identity.refresh_tokens import REPEAT_SECONDS, start_family
from kit.kafka import KafkaSettings
from tests.support.gateway import FindEvents, configure
from tests.support.identity import OTHER_PASSWORD, PASSWORD, Ask, is_refused

UNSIGNED = "Octoxlabs b2N0b0FkbWlu"

ReadEvents = Callable[[], Iterator[dict[str, Any]]]


@pytest.fixture
def log_in(ask: Ask) -> Callable[[], dict[str, Any]]:
    """Gets tokens by password."""

    def tokens() -> dict[str, Any]:
        response = ask("POST", "/auth/token", username="octoAdmin", password=PASSWORD)
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer

    return tokens


LogIn = Callable[[], dict[str, Any]]


def test_a_password_brings_an_access_token_that_searches_under_both_schemes(ask: Ask, log_in: LogIn) -> None:
    token = log_in()["access_token"]
    for scheme, name in (("Bearer", "bearer-jwt"), ("Octoxlabs", "octoxlabs-jwt"), ("bearer", "bearer-jwt")):
        response = ask("POST", "/search", f"{scheme} {token}", query="Hostname = octoxlabs01")
        assert (response.status_code, response.json()["count"]) == (200, 1), name


def test_tokens_are_not_to_be_kept_by_what_is_in_between(ask: Ask) -> None:
    response = ask("POST", "/auth/token", username="octoAdmin", password=PASSWORD)
    assert response["Cache-Control"] == "no-store"
    assert (response.json()["token_type"], response.json()["expires_in"]) == ("Bearer", 300)


def test_the_published_keys_verify_a_token_without_the_gateway(ask: Ask, log_in: LogIn) -> None:
    published = KeySet.import_key_set(ask("GET", "/.well-known/jwks.json").json())
    claims = jwt.decode(log_in()["access_token"], published, ["RS256"]).claims
    assert (claims["sub"], claims["iss"], claims["aud"]) == ("octoAdmin", "sluice", "sluice")
    assert not any(key.is_private for key in published)


def test_wrong_names_and_wrong_passwords_are_refused_in_the_same_words(ask: Ask, user: User) -> None:
    User.objects.create_user("gone", PASSWORD, is_active=False)
    User.objects.create_user("by-key-alone")
    answers = [
        ask("POST", "/auth/token", username=name, password=password)
        for name, password in (
            ("octoAdmin", "wrong"),
            ("nobody", PASSWORD),
            ("gone", PASSWORD),
            ("by-key-alone", ""),
            ("by-key-alone", PASSWORD),
        )
    ]
    del user
    bodies = [{**answer.json(), "query_id": None} for answer in answers if answer.status_code == 401]
    assert len(bodies) == 4
    assert all(body == bodies[0] for body in bodies)
    assert answers[3].status_code == 400


def test_an_expired_token_has_a_code_of_its_own_and_says_so_in_the_challenge(ask: Ask, user: User) -> None:
    token = mint(user, "a session", datetime.now(UTC) - timedelta(hours=1))
    response = ask("POST", "/search", token, query="")
    assert is_refused(response, "token_expired")
    assert 'Bearer realm="sluice", error="invalid_token"' in response["WWW-Authenticate"]


def test_encrypted_tokens_are_taken_renewed_and_revoked(ask: Ask, log_in: LogIn, stack: Settings) -> None:
    signed = log_in()
    configure(stack, jwe_keys=SecretStr(base64.b64encode(bytes(32)).decode()))
    tokens = ask("POST", "/auth/token/refresh", refresh_token=signed["refresh_token"]).json()
    assert tokens["access_token"].count(".") == 4
    for each in (signed, tokens):
        assert ask("GET", "/auth/verify", each["access_token"]).json()["sub"] == "octoAdmin"
    assert ask("POST", "/auth/revoke", token=tokens["access_token"]).status_code == 200
    assert is_refused(ask("GET", "/auth/me", tokens["access_token"]))


def _used_long_ago() -> None:
    RefreshFamily.objects.update(last_used_at=datetime.now(UTC) - timedelta(seconds=REPEAT_SECONDS + 1))


def test_a_refresh_token_that_is_used_again_at_once_brings_the_same_successor(ask: Ask, log_in: LogIn) -> None:
    first = log_in()
    second, again = (ask("POST", "/auth/token/refresh", refresh_token=first["refresh_token"]).json() for _ in range(2))
    assert again["refresh_token"] == second["refresh_token"]
    for tokens in (first, second, again):
        assert ask("GET", "/auth/me", tokens["access_token"]).status_code == 200


def test_a_refresh_token_renews_once_and_its_second_use_ends_everything(ask: Ask, log_in: LogIn) -> None:
    first = log_in()
    second = ask("POST", "/auth/token/refresh", refresh_token=first["refresh_token"]).json()
    assert ask("GET", "/auth/me", second["access_token"]).status_code == 200
    _used_long_ago()
    reused = ask("POST", "/auth/token/refresh", refresh_token=first["refresh_token"])
    assert is_refused(reused)
    assert is_refused(ask("POST", "/auth/token/refresh", refresh_token=second["refresh_token"]))
    for tokens in (first, second):
        assert is_refused(ask("GET", "/auth/me", tokens["access_token"]))


def test_a_second_use_is_one_event_that_names_whose_log_in_has_ended(
    ask: Ask, log_in: LogIn, find_events: FindEvents
) -> None:
    token = log_in()["refresh_token"]
    ask("POST", "/auth/token/refresh", refresh_token=token)
    _used_long_ago()
    assert is_refused(ask("POST", "/auth/token/refresh", None, "reused", refresh_token=token))
    (event,) = find_events("reused")
    assert (event["event_type"], event["user_id"], event["data"]["status"]) == ("auth.failed", "octoAdmin", 401)
    assert event["metadata"]["auth_scheme"] == "refresh-token"


def _without_trail(stack: Settings, closed_port: int) -> None:
    stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 0.5, "spool_bytes": 1})


def test_a_call_that_cannot_be_recorded_has_not_happened_and_can_be_made_again(
    ask: Ask, log_in: LogIn, stack: Settings, closed_port: int
) -> None:
    first, second = log_in(), log_in()
    access = first["access_token"]
    made = ask("POST", "/auth/keys", access, name="kept").json()
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/auth/token/refresh", {"refresh_token": first["refresh_token"]}),
        ("POST", "/auth/keys", {"name": "new"}),
        ("DELETE", f"/auth/keys/{made['id']}", {}),
        ("POST", "/auth/revoke", {"token": second["refresh_token"]}),
        ("POST", "/auth/token", {"username": "octoAdmin", "password": PASSWORD}),
    ]
    kafka, gateway = stack.KAFKA, stack.GATEWAY
    _without_trail(stack, closed_port)
    for method, path, body in calls:
        response = ask(method, path, access, **body)
        assert (response.status_code, response.json()["code"]) == (503, "audit_unavailable"), path
    assert RefreshFamily.objects.filter(generation=0, revoked_at=None).count() == RefreshFamily.objects.count() == 2
    assert ApiKey.objects.get().revoked_at is None
    assert not DeniedToken.objects.exists()
    stack.KAFKA, stack.GATEWAY = kafka, gateway
    assert [ask(method, path, access, **body).status_code for method, path, body in calls] == [200, 201, 204, 200, 200]


def test_a_fault_after_the_event_makes_no_second_one(
    ask: Ask, log_in: LogIn, find_events: FindEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = log_in()["access_token"]

    def fail(_key: ApiKey) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr("gateway.identity.views._described", fail)
    ApiKey.objects.create(id="0", user=User.objects.get(), name="a key", digest="")
    assert ask("GET", "/auth/keys", token, "fault").status_code == 503
    assert len(find_events("fault")) == 1


def test_one_log_in_does_not_end_with_another(ask: Ask, log_in: LogIn) -> None:
    first, second = log_in(), log_in()
    ask("POST", "/auth/revoke", token=first["refresh_token"])
    assert is_refused(ask("GET", "/auth/me", first["access_token"]))
    assert ask("GET", "/auth/me", second["access_token"]).status_code == 200


def test_a_revoked_access_token_is_refused_and_its_log_in_goes_on(ask: Ask, log_in: LogIn) -> None:
    tokens = log_in()
    assert ask("POST", "/auth/revoke", token=tokens["access_token"]).status_code == 200
    assert is_refused(ask("POST", "/search", tokens["access_token"], query=""))
    assert ask("POST", "/auth/token/refresh", refresh_token=tokens["refresh_token"]).status_code == 200


def test_revoking_what_is_no_token_is_no_error(ask: Ask) -> None:
    response = ask("POST", "/auth/revoke", token="nothing")
    assert (response.status_code, response.json()) == (200, {})


def test_a_changed_password_ends_every_log_in(ask: Ask, log_in: LogIn, user: User) -> None:
    tokens = log_in()
    user.set_password("another " + PASSWORD)
    user.save()
    assert is_refused(ask("POST", "/auth/token/refresh", refresh_token=tokens["refresh_token"]))


def test_an_inactive_user_is_out_at_once(ask: Ask, log_in: LogIn) -> None:
    tokens = log_in()
    User.objects.update(is_active=False)
    assert is_refused(ask("GET", "/auth/me", tokens["access_token"]))
    assert is_refused(ask("POST", "/auth/token/refresh", refresh_token=tokens["refresh_token"]))


def _by_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{OTHER_PASSWORD}\n"))
    call_command("user", "octoAdmin", password=True, stdout=io.StringIO())


def _by_djangos_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda **_: OTHER_PASSWORD)
    call_command("changepassword", "octoAdmin", stdout=io.StringIO())


def _by_the_user(_: pytest.MonkeyPatch) -> None:
    new = {"new_password1": OTHER_PASSWORD, "new_password2": OTHER_PASSWORD}
    _in_the_administration("octoAdmin", "/admin/password_change/", {"old_password": PASSWORD} | new)


def _by_an_administrator(_: pytest.MonkeyPatch) -> None:
    User.objects.create_superuser("operator", PASSWORD)
    new = {"password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD, "usable_password": "true"}
    _in_the_administration("operator", _password_page(), new)


def _by_an_administrator_who_takes_it_away(_: pytest.MonkeyPatch) -> None:
    User.objects.create_superuser("operator", PASSWORD)
    _in_the_administration("operator", _password_page(), {"usable_password": "false", "unset-password": "1"})


def _password_page() -> str:
    return f"/admin/identity/user/{User.objects.get(username='octoAdmin').pk}/password/"


def _in_the_administration(who: str, page: str, asked: dict[str, str]) -> None:
    User.objects.filter(username=who).update(role=Role.ADMIN)
    browser = Client()
    assert browser.post("/admin/login/", {"username": who, "password": PASSWORD}).status_code == 302
    assert browser.post(page, asked).status_code == 302


_CHANGES = [
    _by_command,
    _by_djangos_command,
    _by_the_user,
    _by_an_administrator,
    _by_an_administrator_who_takes_it_away,
]


@pytest.mark.parametrize("change", _CHANGES)
def test_a_changed_password_ends_every_log_in_at_once(
    change: Callable[[pytest.MonkeyPatch], None], ask: Ask, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = log_in(), log_in()
    renewed = ask("POST", "/auth/token/refresh", refresh_token=second["refresh_token"]).json()
    other = mint(User.objects.create_user("other"), "a session", datetime.now(UTC))
    change(monkeypatch)
    for tokens in (first, second, renewed):
        assert is_refused(ask("GET", "/auth/me", tokens["access_token"]))
        assert is_refused(ask("POST", "/auth/token/refresh", refresh_token=tokens["refresh_token"]))
    assert ask("GET", "/auth/me", other).status_code == 200


def test_a_changed_password_is_undone_with_its_log_ins_where_it_cannot_be_recorded(
    log_in: LogIn, stack: Settings, closed_port: int
) -> None:
    tokens = log_in()
    stack.KAFKA = KafkaSettings(bootstrap_servers=f"127.0.0.1:{closed_port}")
    User.objects.create_superuser("operator", PASSWORD)
    browser = Client()
    browser.force_login(User.objects.get(username="operator"))
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"audit_timeout": 0.2, "spool_bytes": 1})
    new = {"password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD, "usable_password": "true"}
    assert browser.post(_password_page(), new).status_code == 503
    assert User.objects.get(username="octoAdmin").check_password(PASSWORD)
    assert not DeniedToken.objects.exists()
    assert not RefreshFamily.objects.exclude(revoked_at=None).exists()
    del tokens


def test_a_change_of_anything_but_the_password_ends_no_log_in(ask: Ask, log_in: LogIn) -> None:
    tokens = log_in()
    user = User.objects.get(username="octoAdmin")
    user.role = Role.AUDITOR
    user.save()
    assert ask("GET", "/auth/me", tokens["access_token"]).json()["role"] == "auditor"


def test_a_password_that_is_changed_while_it_is_checked_logs_no_user_in(user: User) -> None:
    checked = User.objects.get(pk=user.pk)
    user.set_password(OTHER_PASSWORD)
    user.save()
    with pytest.raises(AuthenticationFailed):
        start_family(checked, datetime.now(UTC))


def test_an_access_token_outlives_its_log_in_by_nothing(ask: Ask, log_in: LogIn, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"jwt_refresh_seconds": 60})
    assert log_in()["expires_in"] <= 60
    del ask


def test_an_api_key_is_made_by_a_fresh_log_in_alone(ask: Ask, log_in: LogIn) -> None:
    tokens = log_in()
    key = ask("POST", "/auth/keys", tokens["access_token"], name="first").json()["api_key"]
    of_key = ask("POST", "/auth/token", api_key=key).json()["access_token"]
    RefreshFamily.objects.update(started_at=datetime.now(UTC) - FRESH_LOG_IN)
    renewed = ask("POST", "/auth/token/refresh", refresh_token=tokens["refresh_token"]).json()["access_token"]
    for token in (of_key, tokens["access_token"], renewed):
        problem = ask("POST", "/auth/keys", token, name="second").json()
        assert (problem["status"], problem["code"]) == (403, "forbidden")
        assert "send username and password to POST /auth/token" in problem["detail"]
    assert ApiKey.objects.count() == 1
    assert ask("POST", "/auth/keys", log_in()["access_token"], name="second").status_code == 201


def test_a_name_in_decomposed_letters_logs_in(ask: Ask) -> None:
    call_command("user", unicodedata.normalize("NFD", "jürgen"), stdout=io.StringIO())
    known = User.objects.get(username="jürgen")
    known.set_password(PASSWORD)
    known.save()
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "jürgen")
        token = ask("POST", "/auth/token", username=name, password=PASSWORD).json()["access_token"]
        assert ask("GET", "/auth/me", token).json()["username"] == "jürgen"


def test_failures_of_a_name_are_counted_in_whichever_letters_it_is_written(ask: Ask, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"login_failures": "1/hour"})
    answers = [
        ask("POST", "/auth/token", username=unicodedata.normalize(form, "jürgen"), password="wrong")
        for form in ("NFD", "NFC")
    ]
    assert [answer.status_code for answer in answers] == [401, 429]


@pytest.mark.parametrize("token", ["", "nothing", "WyIwIiwwXQ:1:1", "ş", "a.b.c"])
def test_text_that_is_no_refresh_token_is_refused(token: str, ask: Ask) -> None:
    assert ask("POST", "/auth/token/refresh", refresh_token=token).status_code in (400, 401)


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(ask: Ask, log_in: LogIn) -> None:
    tokens = log_in()
    assert ask("POST", "/auth/token/refresh", refresh_token=tokens["access_token"]).status_code in (400, 401)
    assert is_refused(ask("GET", "/auth/me", tokens["refresh_token"]))


def test_expired_log_ins_and_denials_make_room(ask: Ask, log_in: LogIn) -> None:
    log_in()
    past = datetime.now(UTC) - timedelta(seconds=1)
    RefreshFamily.objects.update(expires_at=past)
    DeniedToken.objects.create(identifier="old", expires_at=past)
    ask("POST", "/auth/revoke", token=log_in()["refresh_token"])
    assert RefreshFamily.objects.count() == 1
    assert not DeniedToken.objects.filter(identifier="old").exists()


def test_an_api_key_is_shown_once_exchanged_listed_and_revoked(ask: Ask, log_in: LogIn) -> None:
    token = log_in()["access_token"]
    made = ask("POST", "/auth/keys", token, name="nightly export")
    assert made.status_code == 201
    exchanged = ask("POST", "/auth/token", api_key=made.json()["api_key"]).json()
    assert "refresh_token" not in exchanged
    assert ask("GET", "/auth/me", exchanged["access_token"]).json()["username"] == "octoAdmin"
    (listed,) = ask("GET", "/auth/keys", token).json()["keys"]
    assert set(listed) == {"id", "name", "created_at", "expires_at", "last_used_at"}
    assert listed["last_used_at"]
    assert ask("DELETE", f"/auth/keys/{listed['id']}", token).status_code == 204
    assert ask("GET", "/auth/keys", token).json() == {"keys": []}
    assert is_refused(ask("POST", "/auth/token", api_key=made.json()["api_key"]))
    assert is_refused(ask("GET", "/auth/me", exchanged["access_token"]))


def test_no_user_sees_or_revokes_the_keys_of_another(ask: Ask, log_in: LogIn) -> None:
    ask("POST", "/auth/keys", log_in()["access_token"], name="mine")
    other = mint(User.objects.create_user("other"), "a session", datetime.now(UTC))
    assert ask("GET", "/auth/keys", other).json() == {"keys": []}
    assert ask("DELETE", f"/auth/keys/{ApiKey.objects.get().id}", other).status_code == 204
    assert ApiKey.objects.get().revoked_at is None


def test_an_unsigned_header_makes_no_api_keys(ask: Ask) -> None:
    for method, path in (("GET", "/auth/keys"), ("POST", "/auth/keys"), ("DELETE", "/auth/keys/0")):
        response = ask(method, path, UNSIGNED, name="mine")
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert not ApiKey.objects.exists()


def test_a_user_has_so_many_keys_and_no_more(ask: Ask, log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.identity.views.MAX_KEYS", 1)
    token = log_in()["access_token"]
    assert ask("POST", "/auth/keys", token, name="first").status_code == 201
    response = ask("POST", "/auth/keys", token, name="second")
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("role", Role)
def test_me_says_who_and_what_may_be_searched(role: Role, ask: Ask) -> None:
    User.objects.update(role=role, granted_indices=[])
    me = ask("GET", "/auth/me", UNSIGNED).json()
    logs = [] if role is Role.SEARCHER else ["query-logs-*"]
    assert me == {"username": "octoAdmin", "role": role.value, "indices": logs, "writable_types": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "octoAdmin"},
        {"username": "octoAdmin", "password": PASSWORD, "api_key": "x"},
        {"username": ["octoAdmin"], "password": PASSWORD},
        {"username": "octoAdmin", "password": "x" * 1025},
        {"username": "x" * 151, "password": PASSWORD},
        {"username": "octo\0Admin", "password": PASSWORD},
        {"grant_type": "password"},
    ],
)
def test_a_malformed_log_in_is_a_400_that_does_not_repeat_the_password(body: dict[str, Any], ask: Ask) -> None:
    response = ask("POST", "/auth/token", **body)
    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert PASSWORD not in response.content.decode()


def test_failures_lock_a_name_at_one_address_and_no_other(ask: Ask, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"login_failures": "3/hour"})
    for name in ("octoAdmin", "nobody"):
        for _ in range(3):
            assert ask("POST", "/auth/token", username=name, password="wrong").status_code == 401
        locked = ask("POST", "/auth/token", username=name, password=PASSWORD)
        assert (locked.status_code, locked.json()["code"]) == (429, "throttled")
        assert int(locked["Retry-After"]) > 0
    User.objects.create_user("other", PASSWORD)
    assert ask("POST", "/auth/token", username="other", password=PASSWORD).status_code == 200


def test_failures_do_not_tell_whose_an_address_is(ask: Ask, user: User, stack: Settings) -> None:
    User.objects.filter(pk=user.pk).update(email="ada@example.com")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"login_failures": "2/hour"})
    for _ in range(2):
        assert ask("POST", "/auth/login", username="octoAdmin", password="wrong").status_code == 401
    for status in (401, 401, 429):
        for email in ("ada@example.com", "nobody@example.com"):
            assert ask("POST", "/auth/login", email=email, password="wrong").status_code == status


def test_a_user_is_not_locked_out_by_failures_elsewhere(ask: Ask, client: Client, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"login_failures": "1/hour"})
    body = orjson.dumps({"username": "octoAdmin", "password": "wrong"})
    for _ in range(2):
        client.generic("POST", "/auth/token", body, "application/json", REMOTE_ADDR="198.51.100.7")
    assert ask("POST", "/auth/token", username="octoAdmin", password=PASSWORD).status_code == 200


def test_invalid_api_keys_lock_no_good_key_out(ask: Ask, user: User, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"login_failures": "1/hour", "address_login_failures": "1/hour"})
    _, key = issue_key(user, "nightly export")
    for _ in range(3):
        assert is_refused(ask("POST", "/auth/token", api_key="sluice_0"))
    assert ask("POST", "/auth/token", api_key=key).status_code == 200
    assert ask("POST", "/auth/token", username="octoAdmin", password="wrong").status_code == 401


def test_an_address_fails_so_often_and_no_more_whoever_it_names(ask: Ask, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"address_login_failures": "3/hour"})
    for number in range(3):
        assert ask("POST", "/auth/token", username=f"user{number}", password="wrong").status_code == 401
    assert ask("POST", "/auth/token", username="octoAdmin", password=PASSWORD).status_code == 429


def test_every_call_is_an_event_and_no_credential_is_in_it(
    ask: Ask, log_in: LogIn, events: ReadEvents, stack: Settings
) -> None:
    tokens = log_in()
    made = ask("POST", "/auth/keys", tokens["access_token"], "e-key", name="mine").json()
    key = made["api_key"]
    ask("POST", "/auth/token", None, "e-password", username="octoAdmin", password=PASSWORD)
    ask("POST", "/auth/token", None, "e-api-key", api_key=key)
    ask("DELETE", f"/auth/keys/{made['id']}", tokens["access_token"], "e-key-gone")
    ask("GET", "/auth/me", tokens["access_token"], "e-me")
    ask("GET", "/auth/me", "Bearer a.b.c", "e-forged")
    ask("GET", "/auth/keys", UNSIGNED, "e-unproven")
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"login_failures": "1/hour"})
    ask("POST", "/auth/token", None, "e-wrong", username="octoAdmin", password="mistyped")
    ask("POST", "/auth/token", None, "e-malformed", username="octoAdmin")
    ask("POST", "/auth/token/refresh", None, "e-refresh", refresh_token=tokens["refresh_token"])
    ask("POST", "/auth/revoke", None, "e-revoke", token=tokens["access_token"])
    ask("POST", "/auth/token", None, "e-locked", username="octoAdmin", password=PASSWORD)
    expected = {
        "e-key": ("auth.succeeded", "octoAdmin", "bearer-jwt", 201),
        "e-key-gone": ("auth.succeeded", "octoAdmin", "bearer-jwt", 204),
        "e-password": ("auth.succeeded", "octoAdmin", "password", 200),
        "e-api-key": ("auth.succeeded", "octoAdmin", "api-key", 200),
        "e-me": ("auth.succeeded", "octoAdmin", "bearer-jwt", 200),
        "e-forged": ("auth.failed", None, None, 401),
        "e-unproven": ("auth.failed", "octoAdmin", "octoxlabs-unsigned", 403),
        "e-wrong": ("auth.failed", None, None, 401),
        "e-malformed": ("auth.failed", None, None, 400),
        "e-refresh": ("auth.succeeded", "octoAdmin", "refresh-token", 200),
        "e-revoke": ("auth.succeeded", "octoAdmin", "token", 200),
        "e-locked": ("auth.throttled", None, None, 429),
    }
    recorded = [event for event in events() if event["metadata"]["request_id"] in expected]
    assert len(recorded) == len(expected)
    for event in recorded:
        request_id = event["metadata"]["request_id"]
        found = (event["event_type"], event["user_id"], event["metadata"]["auth_scheme"], event["data"]["status"])
        assert found == expected[request_id], request_id
        words = {"e-key": f'make API key "{made["id"]}"', "e-key-gone": f'revoke API key "{made["id"]}"'}
        assert event["data"]["query"] == words.get(request_id)
        for secret in (PASSWORD, "mistyped", key, tokens["access_token"], tokens["refresh_token"]):
            assert secret not in str(event["data"])


def test_callers_that_are_let_no_further_are_on_the_trail(ask: Ask, events: ReadEvents) -> None:
    expected = {}
    for method, path, token, status, event_type, user_id in (
        ("POST", "/search", None, 401, "query.denied", None),
        ("POST", "/search", "Bearer a.b.c", 401, "query.denied", None),
        ("GET", "/fields", None, 401, "query.denied", None),
        ("POST", "/translate", "Octoxlabs bm9ib2R5", 401, "query.denied", None),
        ("POST", "/complete", "Basic abc", 401, "query.denied", None),
        ("GET", "/api/ping", None, 401, "query.denied", None),
        ("GET", "/fields?index=users", UNSIGNED, 403, "query.denied", "octoAdmin"),
        ("DELETE", "/search", UNSIGNED, 405, "query.rejected", "octoAdmin"),
        ("DELETE", "/fields", UNSIGNED, 405, "query.rejected", "octoAdmin"),
    ):
        response = ask(method, path, token)
        assert response.status_code == status, path
        expected[response.json()["query_id"]] = (event_type, user_id)
    recorded = {event["event_id"]: (event["event_type"], event["user_id"]) for event in events()}
    assert expected.items() <= recorded.items()


def test_an_address_takes_a_tenth_of_the_recorded_refusals_and_leaves_the_rest_to_others(
    ask: Ask, client: Client, stack: Settings, find_events: FindEvents
) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"recorded_refusals": "20/hour"})
    answers = [ask("POST", "/search", None, "flood", query="") for _ in range(30)]
    assert [answer.status_code for answer in answers] == [401] * 30
    assert len(find_events("flood")) == 2
    assert "query_id" in client.post("/search", REMOTE_ADDR="198.51.100.7").json()


def test_refusals_beyond_the_budget_of_all_addresses_are_answered_and_only_counted(
    client: Client, stack: Settings
) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"recorded_refusals": "2/hour"})
    answers = [client.post("/search", REMOTE_ADDR=f"198.51.100.{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert ["query_id" in answer.json() for answer in answers] == [True, True, False, False]
