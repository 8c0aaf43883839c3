"""Sign-up, proof of addresses and passwords against the real trail."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from gateway.identity import erasure
from gateway.identity.account_links import SIGN_UP_LIFE, SignUp, reset_token, sign_up_token
from gateway.identity.models import ApiKey, User
from tests.integration.gateway.identity.conftest import Mailbox
from tests.support.gateway import FindEvents
from tests.support.identity import OTHER_PASSWORD, PASSWORD, Ask, is_refused

ADDRESS = "ayse@example.com"
Token = Callable[[], str]


def _link(mails: list[Any], kind: str) -> str:
    """The token in the link of the one mail."""
    (mail,) = mails
    found = re.search(rf"^https://sluice\.example/#{kind}=([\w.-]+)$", mail.body, re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture
def ayse(mailbox: Mailbox) -> User:
    """A user with a mail address."""
    del mailbox
    return User.objects.create_user("ayse", PASSWORD, email=ADDRESS)


def _sign_up(ask: Ask, email: str = ADDRESS, password: str = PASSWORD, request_id: str = "r") -> Any:
    return ask("POST", "/auth/signup", None, request_id, email=email, password=password, full_name="Ayşe Yılmaz")


def _token(ask: Ask, name: str) -> str:
    token: str = ask("POST", "/auth/login", username=name, password=PASSWORD).json()["access_token"]
    return token


def test_who_signs_up_is_a_searcher_of_nothing_once_the_link_is_used(ask: Ask, mailbox: Mailbox) -> None:
    assert _sign_up(ask, "Ayse@Example.com").status_code == 202
    assert User.objects.count() == 1
    answer = ask("POST", "/auth/signup/verify", token=_link(mailbox.delivered(), "sign-up"))
    assert (answer.status_code, answer.json()) == (201, {"username": ADDRESS})
    made = User.objects.get(username=ADDRESS)
    assert (made.email, made.email_verified, made.full_name) == (ADDRESS, True, "Ayşe Yılmaz")
    logged_in = ask("POST", "/auth/login", email="AYSE@example.com", password=PASSWORD)
    me = ask("GET", "/auth/me", logged_in.json()["access_token"]).json()
    assert me == {"username": ADDRESS, "role": "searcher", "indices": [], "writable_types": []}


def test_an_operator_says_what_who_signs_up_may_search(ask: Ask, mailbox: Mailbox, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"signup_indices": ("devices-many",)})
    _sign_up(ask)
    ask("POST", "/auth/signup/verify", token=_link(mailbox.delivered(), "sign-up"))
    assert User.objects.get(username=ADDRESS).granted_indices == ["devices-many"]


def test_known_and_unknown_addresses_get_the_same_answer_and_the_mail_tells_them_apart(
    ask: Ask, ayse: User, mailbox: Mailbox
) -> None:
    def shape(answer: Any) -> Any:
        headers = {name: value for name, value in answer.items() if name != "X-Request-ID"}
        return answer.status_code, answer.content, headers

    del ayse
    known, unknown = _sign_up(ask), _sign_up(ask, "new@example.com")
    assert shape(known) == shape(unknown)
    subjects = [(mail.to, mail.subject) for mail in mailbox.delivered()]
    assert subjects == [([ADDRESS], "You have an account"), (["new@example.com"], "Confirm your address")]
    forgotten = [ask("POST", "/auth/password/forgot", email=each) for each in (ADDRESS, "new@example.com")]
    assert shape(forgotten[0]) == shape(forgotten[1])
    assert [mail.to for mail in mailbox.delivered()] == [[ADDRESS]]


def test_a_name_that_is_an_address_is_taken_too(ask: Ask, mailbox: Mailbox) -> None:
    User.objects.create_user(ADDRESS)
    _sign_up(ask)
    assert [mail.subject for mail in mailbox.delivered()] == ["You have an account"]


def test_a_link_makes_one_user_however_often_it_is_used(ask: Ask, mailbox: Mailbox) -> None:
    _sign_up(ask)
    token = _link(mailbox.delivered(), "sign-up")
    answers = [ask("POST", "/auth/signup/verify", token=token) for _ in range(2)]
    assert answers[0].status_code == 201
    assert is_refused(answers[1])
    assert User.objects.filter(email=ADDRESS).count() == 1


def test_a_link_makes_nobody_again_once_its_user_is_erased(ask: Ask, mailbox: Mailbox) -> None:
    _sign_up(ask)
    token = _link(mailbox.delivered(), "sign-up")
    assert ask("POST", "/auth/signup/verify", token=token).status_code == 201
    user = User.objects.get(email=ADDRESS)
    erasure.delete(user, erasure.find_rows(user))
    assert is_refused(ask("POST", "/auth/signup/verify", token=token))
    _sign_up(ask)
    assert ask("POST", "/auth/signup/verify", token=_link(mailbox.delivered(), "sign-up")).status_code == 201


def test_nothing_but_a_fresh_link_of_this_gateway_makes_a_user(ask: Ask, mailbox: Mailbox, ayse: User) -> None:
    now = datetime.now(UTC)
    sign_up = SignUp.of("new@example.com", "", PASSWORD)
    good = sign_up_token(sign_up, now)
    late = sign_up_token(sign_up, now - SIGN_UP_LIFE)
    head, rest = good[:-8], good[-8:]
    for token in ("x", "a.b.c.d.e", late, head + rest.swapcase(), good.replace(".", "", 1), reset_token(ayse, now)):
        assert is_refused(ask("POST", "/auth/signup/verify", token=token)), token
    del mailbox
    assert not User.objects.filter(email="new@example.com").exists()


def test_a_sign_up_of_a_stranger_is_in_no_table_before_the_link_is_used(ask: Ask, mailbox: Mailbox) -> None:
    for _ in range(3):
        _sign_up(ask)
    mailbox.delivered()
    assert not User.objects.filter(email=ADDRESS).exists()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ayse",
        "ayse@",
        "a b@example.com",
        "ayşe@example.com",
        "a@example.com\nBcc: b@example.com",
        "a'b@example.com",
    ],
)
def test_what_is_no_address_is_refused(email: str, ask: Ask, mailbox: Mailbox) -> None:
    answer = _sign_up(ask, email)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert not mailbox.delivered()


@pytest.mark.parametrize("password", ["short", "123456789012345", "ayse@example.com", "password1234"])
def test_a_password_that_is_easy_to_guess_is_refused(password: str, ask: Ask, mailbox: Mailbox) -> None:
    assert _sign_up(ask, password=password).status_code == 400
    assert not mailbox.delivered()


def test_sign_up_is_off_unless_it_is_switched_on_and_without_mail(ask: Ask, mailbox: Mailbox, stack: Settings) -> None:
    for off in ({"signup": False}, {"mail_url": None}):
        before = stack.GATEWAY
        stack.GATEWAY = before.model_copy(update=off)
        assert _sign_up(ask).status_code == 403
        stack.GATEWAY = before
    assert not mailbox.delivered()


def test_a_page_learns_whether_one_can_sign_up_and_ask_for_a_new_password(
    ask: Ask, mailbox: Mailbox, stack: Settings
) -> None:
    del mailbox
    for off, sign_up, new_password in (
        ({}, True, True),
        ({"signup": False}, False, True),
        ({"mail_url": None}, False, False),
    ):
        before = stack.GATEWAY
        stack.GATEWAY = before.model_copy(update=off)
        listed = ask("GET", "/auth/providers").json()
        assert (listed["sign_up"], listed["new_password"]) == (sign_up, new_password), off
        stack.GATEWAY = before


def test_one_address_asks_for_so_many_mails_and_gets_so_many(ask: Ask, mailbox: Mailbox, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"mail_rate": "7/hour"})
    assert [_sign_up(ask).status_code for _ in range(6)] == [202] * 6
    assert len(mailbox.delivered()) == 5
    answers = [_sign_up(ask, f"{number}@example.com") for number in range(2)]
    assert [answer.status_code for answer in answers] == [202, 429]


def test_a_forgotten_password_is_replaced_by_a_link_and_every_log_in_ends(
    ask: Ask, ayse: User, mailbox: Mailbox
) -> None:
    token = _token(ask, "ayse")
    assert ask("POST", "/auth/password/forgot", email=ADDRESS.upper()).status_code == 202
    link = _link(mailbox.delivered(), "reset")
    assert ask("POST", "/auth/password/reset", token=link, new_password=OTHER_PASSWORD).status_code == 204
    assert is_refused(ask("GET", "/auth/me", token))
    assert ask("POST", "/auth/login", email=ADDRESS, password=OTHER_PASSWORD).status_code == 200
    assert is_refused(ask("POST", "/auth/password/reset", token=link, new_password=PASSWORD))
    ayse.refresh_from_db()
    assert ayse.email_verified


def test_a_name_that_is_nobody_s_is_looked_for_as_a_mail_address(ask: Ask, ayse: User) -> None:
    del ayse
    typed = ask("POST", "/auth/login", username=ADDRESS.title(), password=PASSWORD)
    assert ask("GET", "/auth/me", typed.json()["access_token"]).json()["username"] == "ayse"
    User.objects.create_user(ADDRESS, OTHER_PASSWORD)
    assert is_refused(ask("POST", "/auth/login", username=ADDRESS, password=PASSWORD))
    assert ask("POST", "/auth/login", username=ADDRESS, password=OTHER_PASSWORD).status_code == 200


def test_a_link_for_a_new_password_ends_with_the_password_the_address_and_the_user(ask: Ask, ayse: User) -> None:
    now = datetime.now(UTC)
    tokens = [reset_token(ayse, now - timedelta(hours=1))]
    for change in ({"email": "other@example.com"}, {"is_active": False}):
        tokens.append(reset_token(ayse, now))
        for name, value in change.items():
            setattr(ayse, name, value)
        ayse.save()
        assert is_refused(ask("POST", "/auth/password/reset", token=tokens[-1], new_password=OTHER_PASSWORD))
        User.objects.filter(pk=ayse.pk).update(email=ADDRESS, is_active=True)
        ayse.refresh_from_db()
    ayse.set_password(PASSWORD)
    ayse.save()
    for token in tokens:
        assert is_refused(ask("POST", "/auth/password/reset", token=token, new_password=OTHER_PASSWORD))


def test_a_forged_host_is_in_no_link(ayse: User, client: Client, mailbox: Mailbox, stack: Settings) -> None:
    del ayse
    stack.ALLOWED_HOSTS = ["*"]
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    body = {"email": ADDRESS}
    assert client.post("/auth/password/forgot", body, "application/json", headers=forged).status_code == 202
    (mail,) = mailbox.delivered()
    assert "evil" not in mail.body
    assert "https://sluice.example/#reset=" in mail.body


def test_a_changed_password_ends_every_log_in_and_leaves_api_keys(ask: Ask, ayse: User) -> None:
    token, other = _token(ask, "ayse"), _token(ask, "ayse")
    ask("POST", "/auth/keys", token, name="kept")
    refused = ask("POST", "/auth/password", token, old_password="wrong", new_password=OTHER_PASSWORD)
    assert is_refused(refused)
    changed = ask("POST", "/auth/password", token, old_password=PASSWORD, new_password=OTHER_PASSWORD)
    assert changed.status_code == 204
    for ended in (token, other):
        assert is_refused(ask("GET", "/auth/me", ended))
    assert ApiKey.objects.get().revoked_at is None
    assert ask("POST", "/auth/token", username=ayse.username, password=OTHER_PASSWORD).status_code == 200


def test_a_password_is_not_changed_by_who_has_proven_nothing(ask: Ask) -> None:
    unsigned = ask("POST", "/auth/password", "Octoxlabs b2N0b0FkbWlu", old_password=PASSWORD, new_password="x")
    assert unsigned.status_code == 403


def test_a_token_is_verified_with_its_claims(ask: Ask) -> None:
    token = _token(ask, "octoAdmin")
    claims = ask("GET", "/auth/verify", token).json()
    assert (claims["sub"], claims["iss"], claims["exp"] - claims["iat"]) == ("octoAdmin", "sluice", 300)
    assert is_refused(ask("GET", "/auth/verify", token[:-4] + "AAAA"))
    assert is_refused(ask("GET", "/auth/verify"))
    # It has no token that could be verified.
    assert is_refused(ask("GET", "/auth/verify", "Octoxlabs b2N0b0FkbWlu"))


def test_every_call_is_an_event_without_an_address_or_a_secret(
    ask: Ask, ayse: User, mailbox: Mailbox, find_events: FindEvents
) -> None:
    _sign_up(ask, "new@example.com", request_id="accounts-signup")
    link = _link(mailbox.delivered(), "sign-up")
    ask("POST", "/auth/signup/verify", None, "accounts-proof", token=link)
    ask("POST", "/auth/signup/verify", None, "accounts-again", token=link)
    ask("POST", "/auth/password/forgot", None, "accounts-forgot", email=ADDRESS)
    reset = _link(mailbox.delivered(), "reset")
    ask("POST", "/auth/password/reset", None, "accounts-reset", token=reset, new_password=OTHER_PASSWORD)
    token = ask("POST", "/auth/login", username=ayse.username, password=OTHER_PASSWORD).json()["access_token"]
    ask("POST", "/auth/password", token, "accounts-changed", old_password=OTHER_PASSWORD, new_password=PASSWORD)
    expected = {
        "accounts-signup": ("auth.succeeded", None, 202, None, None),
        "accounts-proof": ("auth.succeeded", "new@example.com", 201, "mail-link", "sign up"),
        "accounts-again": ("auth.failed", None, 401, None, None),
        "accounts-forgot": ("auth.succeeded", None, 202, None, None),
        "accounts-reset": ("auth.succeeded", ayse.username, 204, "mail-link", "reset the password"),
        "accounts-changed": ("auth.succeeded", ayse.username, 204, "bearer-jwt", "change the password"),
    }
    for request_id, wanted in expected.items():
        (event,) = find_events(request_id)
        data = event["data"]
        said = (data["status"], event["metadata"]["auth_scheme"], data["query"])
        assert (event["event_type"], event["user_id"], *said) == wanted, request_id
        for secret in (PASSWORD, OTHER_PASSWORD, link, reset, ADDRESS):
            assert secret not in str(event)


def test_what_cannot_be_recorded_has_not_happened(
    ask: Ask, ayse: User, mailbox: Mailbox, stack: Settings, without_trail: Callable[[], None]
) -> None:
    _sign_up(ask, "new@example.com")
    link = _link(mailbox.delivered(), "sign-up")
    reset, token = reset_token(ayse, datetime.now(UTC)), _token(ask, "ayse")
    del stack
    without_trail()
    for path, authorized, body in (
        ("/auth/signup", None, {"email": "a@example.com", "password": PASSWORD, "full_name": ""}),
        ("/auth/password/forgot", None, {"email": ADDRESS}),
        ("/auth/signup/verify", None, {"token": link}),
        ("/auth/password/reset", None, {"token": reset, "new_password": OTHER_PASSWORD}),
        ("/auth/password", token, {"old_password": PASSWORD, "new_password": OTHER_PASSWORD}),
    ):
        answer = ask("POST", path, authorized, **body)
        assert (answer.status_code, answer.json()["code"]) == (503, "audit_unavailable"), path
    assert not mailbox.delivered()
    assert not User.objects.filter(email="new@example.com").exists()
    ayse.refresh_from_db()
    assert ayse.check_password(PASSWORD)
