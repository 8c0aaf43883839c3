"""The second factor against the real trail: enrolment, two-step log-ins, recovery codes, limits."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from django.test import Client
from pytest_django import Settings

from gateway.identity.account_models import Ticket, Totp
from gateway.identity.models import RefreshFamily, Role, User
from gateway.identity.proof import FRESH_LOG_IN
from gateway.identity.second_factor import TICKET_LIFE, TICKET_TRIES
from tests.support.gateway import FindEvents
from tests.support.identity import OTHER_PASSWORD, PASSWORD, Ask, is_refused

_STEP = timedelta(seconds=30)


def _log_in(ask: Ask, name: str = "octoAdmin", request_id: str = "r") -> Any:
    return ask("POST", "/auth/login", None, request_id, username=name, password=PASSWORD)


def _next_code(secret: str) -> str:
    """A code that is good now, and has not been used: of the next step, as those before may have been."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + _STEP)


def _forget_steps() -> None:
    """Let codes be used again, in the place of waiting for the next ones."""
    Totp.objects.update(last_step=0)


def _wrong(secret: str) -> str:
    now = datetime.now(UTC)
    good = {pyotp.TOTP(secret).at(now + number * _STEP) for number in range(-2, 3)}
    return next(code for code in ("000000", "000001", "000002", "000003", "000004", "000005") if code not in good)


@pytest.fixture
def enrolled(ask: Ask) -> tuple[str, list[str]]:
    """The secret and the recovery codes of octoAdmin, who has a second factor."""
    token = _log_in(ask).json()["access_token"]
    begun = ask("POST", "/auth/totp", token).json()
    confirmed = ask("POST", "/auth/totp/confirm", token, code=_next_code(begun["secret"]))
    assert confirmed.status_code == 200
    _forget_steps()
    return begun["secret"], confirmed.json()["recovery_codes"]


Enrolled = tuple[str, list[str]]


def _ticket(ask: Ask) -> str:
    answer = _log_in(ask)
    assert is_refused(answer, "factor_required")
    assert answer.json()["enrolled"] is True
    assert "WWW-Authenticate" in answer
    ticket: str = answer.json()["ticket"]
    return ticket


def test_a_log_in_takes_both_factors(ask: Ask, enrolled: Enrolled) -> None:
    answer = ask("POST", "/auth/login", ticket=_ticket(ask), code=_next_code(enrolled[0]))
    assert answer.status_code == 200
    assert ask("GET", "/auth/me", answer.json()["access_token"]).status_code == 200
    assert answer.json()["refresh_token"]


def test_a_factor_counts_once_it_is_confirmed(ask: Ask) -> None:
    token = _log_in(ask).json()["access_token"]
    begun = ask("POST", "/auth/totp", token).json()
    assert begun["uri"].startswith("otpauth://totp/Sluice:octoAdmin?")
    assert is_refused(ask("POST", "/auth/totp/confirm", token, code=_wrong(begun["secret"])))
    assert _log_in(ask).status_code == 200


def test_a_code_and_a_ticket_are_good_once(ask: Ask, enrolled: Enrolled) -> None:
    first, second, code = _ticket(ask), _ticket(ask), _next_code(enrolled[0])
    assert ask("POST", "/auth/login", ticket=first, code=code).status_code == 200
    assert is_refused(ask("POST", "/auth/login", ticket=second, code=code))
    _forget_steps()
    assert is_refused(ask("POST", "/auth/login", ticket=first, code=code))
    assert ask("POST", "/auth/login", ticket=second, code=code).status_code == 200


def test_a_recovery_code_is_good_once_in_the_place_of_a_code(ask: Ask, enrolled: Enrolled) -> None:
    _, codes = enrolled
    assert len(set(codes)) == 10
    assert ask("POST", "/auth/login", ticket=_ticket(ask), code=codes[0].upper()).status_code == 200
    assert is_refused(ask("POST", "/auth/login", ticket=_ticket(ask), code=codes[0]))
    assert ask("POST", "/auth/login", ticket=_ticket(ask), code=codes[1]).status_code == 200


def test_new_recovery_codes_end_the_old_ones(ask: Ask, enrolled: Enrolled) -> None:
    secret, old = enrolled
    token = ask("POST", "/auth/login", ticket=_ticket(ask), code=_next_code(secret)).json()["access_token"]
    new = ask("POST", "/auth/recovery-codes", token).json()["recovery_codes"]
    assert is_refused(ask("POST", "/auth/login", ticket=_ticket(ask), code=old[2]))
    assert ask("POST", "/auth/login", ticket=_ticket(ask), code=new[2]).status_code == 200


def test_a_ticket_has_five_tries(ask: Ask, enrolled: Enrolled) -> None:
    ticket, wrong = _ticket(ask), _wrong(enrolled[0])
    for _ in range(TICKET_TRIES):
        assert is_refused(ask("POST", "/auth/login", ticket=ticket, code=wrong))
    assert is_refused(ask("POST", "/auth/login", ticket=ticket, code=_next_code(enrolled[0])))


def test_a_ticket_ends_by_time_with_the_password_and_with_the_user(ask: Ask, enrolled: Enrolled, user: User) -> None:
    code = _next_code(enrolled[0])
    late = _ticket(ask)
    Ticket.objects.update(expires_at=datetime.now(UTC))
    inactive = _ticket(ask)
    User.objects.update(is_active=False)
    for ticket in (late, inactive):
        assert is_refused(ask("POST", "/auth/login", ticket=ticket, code=code))
    User.objects.update(is_active=True)
    changed = _ticket(ask)
    user.refresh_from_db()
    user.set_password(OTHER_PASSWORD)
    user.save()
    assert is_refused(ask("POST", "/auth/login", ticket=changed, code=code))
    assert timedelta(minutes=5) == TICKET_LIFE


def test_failing_codes_are_added_up_whatever_ticket_and_address_they_come_with(
    ask: Ask, client: Client, enrolled: Enrolled, stack: Settings
) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"login_failures": "3/hour"})
    wrong = _wrong(enrolled[0])
    for number in range(3):
        body = {"ticket": _ticket(ask), "code": wrong}
        assert (
            client.post("/auth/login", body, "application/json", REMOTE_ADDR=f"198.51.100.{number}").status_code == 401
        )
    right = ask("POST", "/auth/login", ticket=_ticket(ask), code=_next_code(enrolled[0]))
    assert (right.status_code, right.json()["code"]) == (429, "throttled")


def test_the_secret_and_the_codes_are_in_no_table(enrolled: Enrolled) -> None:
    secret, codes = enrolled
    kept = str(Totp.objects.values().get())
    assert secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_a_role_that_needs_a_factor_enrols_by_the_ticket(ask: Ask, stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"factor_roles": ("searcher",)})
    refused = _log_in(ask)
    assert is_refused(refused, "factor_required")
    ticket = refused.json()["ticket"]
    assert refused.json()["enrolled"] is False
    assert is_refused(ask("POST", "/auth/login", ticket=ticket, code="000000"))
    secret = ask("POST", "/auth/totp", ticket=ticket).json()["secret"]
    confirmed = ask("POST", "/auth/totp/confirm", ticket=ticket, code=_next_code(secret))
    assert confirmed.status_code == 200
    assert (
        ask("POST", "/auth/login", ticket=_ticket(ask), code=confirmed.json()["recovery_codes"][0]).status_code == 200
    )


@pytest.mark.parametrize("path", ["/auth/totp", "/auth/totp/confirm"])
def test_a_factor_that_is_confirmed_meanwhile_stays_as_it_is(
    path: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = _log_in(ask).json()["access_token"]
    secret = ask("POST", "/auth/totp", token).json()["secret"]

    def wait_for_the_other(_: User) -> None:
        Totp.objects.update(confirmed_at=datetime.now(UTC))

    monkeypatch.setattr(User, "lock", wait_for_the_other)
    body = {"code": _next_code(secret)} if path.endswith("confirm") else {}
    assert ask("POST", path, token, **body).status_code == 400


def test_the_ticket_of_an_enrolled_user_changes_no_factor(ask: Ask, enrolled: Enrolled) -> None:
    assert enrolled
    ticket = _ticket(ask)
    assert ask("POST", "/auth/totp", ticket=ticket).status_code == 400
    assert ask("POST", "/auth/totp/confirm", ticket=ticket, code="000000").status_code == 400


def test_only_a_fresh_log_in_changes_the_factor(ask: Ask, enrolled: Enrolled) -> None:
    token = ask("POST", "/auth/login", ticket=_ticket(ask), code=_next_code(enrolled[0])).json()["access_token"]
    assert ask("POST", "/auth/totp", token).status_code == 400
    RefreshFamily.objects.update(started_at=datetime.now(UTC) - FRESH_LOG_IN)
    for method, path in (("DELETE", "/auth/totp"), ("POST", "/auth/recovery-codes"), ("POST", "/auth/totp")):
        assert ask(method, path, token).status_code == 403, path
        assert ask(method, path, "Octoxlabs b2N0b0FkbWlu").status_code == 403, path
        assert is_refused(ask(method, path)), path
    RefreshFamily.objects.update(started_at=datetime.now(UTC))
    assert ask("DELETE", "/auth/totp", token).status_code == 204
    assert _log_in(ask).status_code == 200


def test_an_administrator_takes_the_factor_of_who_has_lost_it(
    ask: Ask, client: Client, enrolled: Enrolled, find_events: FindEvents
) -> None:
    assert enrolled
    User.objects.create_superuser("operator", PASSWORD)
    token = _log_in(ask, "operator").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "If-Match": "*", "X-Request-ID": "factor-lost"}
    users = ask("GET", "/auth/users", token).json()["users"]
    assert {user["username"]: user["totp"] for user in users} == {"octoAdmin": True, "operator": False}
    answer = client.patch("/auth/users/octoAdmin", {"totp": False}, "application/merge-patch+json", headers=headers)
    assert (answer.status_code, answer.json()["totp"]) == (200, False)
    assert _log_in(ask).status_code == 200
    (event,) = find_events("factor-lost")
    assert event["data"]["query"] == 'change user "octoAdmin": second factor'
    more = client.patch("/auth/users/octoAdmin", {"totp": True}, "application/merge-patch+json", headers=headers)
    assert more.status_code == 400


def test_the_administration_takes_the_code_too(ask: Ask, client: Client, enrolled: Enrolled) -> None:
    del ask
    User.objects.filter(username="octoAdmin").update(role=Role.ADMIN)
    form = {"username": "octoAdmin", "password": PASSWORD}
    page = client.post("/admin/login/?next=/admin/", form)
    assert (page.status_code, "The code is wrong" in page.content.decode()) == (200, True)
    assert 'name="code"' in page.content.decode()
    assert client.post("/admin/login/?next=/admin/", form | {"code": _wrong(enrolled[0])}).status_code == 200
    entered = client.post("/admin/login/?next=/admin/", form | {"code": _next_code(enrolled[0])})
    assert (entered.status_code, entered["Location"]) == (302, "/admin/")


def test_each_step_is_an_event(ask: Ask, enrolled: Enrolled, find_events: FindEvents) -> None:
    secret, codes = enrolled
    ticket = _log_in(ask, request_id="factor-first").json()["ticket"]
    ask("POST", "/auth/login", None, "factor-wrong", ticket=ticket, code=_wrong(secret))
    ask("POST", "/auth/login", None, "factor-right", ticket=ticket, code=codes[0])
    ask("POST", "/auth/login", None, "factor-gone", ticket=ticket, code=codes[1])
    token = ask("POST", "/auth/login", ticket=_ticket(ask), code=codes[1]).json()["access_token"]
    new = ask("POST", "/auth/recovery-codes", token, "factor-codes").json()["recovery_codes"]
    ask("DELETE", "/auth/totp", token, "factor-deleted")
    begun = ask("POST", "/auth/totp", token, "factor-begun").json()["secret"]
    ask("POST", "/auth/totp/confirm", token, "factor-unconfirmed", code=_wrong(begun))
    ask("POST", "/auth/totp/confirm", token, "factor-confirmed", code=_next_code(begun))
    expected = {
        "factor-first": ("auth.failed", "octoAdmin", "factor_required", None),
        "factor-wrong": ("auth.failed", "octoAdmin", "unauthenticated", None),
        "factor-right": ("auth.succeeded", "octoAdmin", None, None),
        "factor-gone": ("auth.failed", None, "unauthenticated", None),
        "factor-codes": ("auth.succeeded", "octoAdmin", None, "replace the recovery codes"),
        "factor-deleted": ("auth.succeeded", "octoAdmin", None, "delete the second factor"),
        "factor-begun": ("auth.succeeded", "octoAdmin", None, "begin a second factor"),
        "factor-unconfirmed": ("auth.failed", "octoAdmin", "unauthenticated", "confirm the second factor"),
        "factor-confirmed": ("auth.succeeded", "octoAdmin", None, "confirm the second factor"),
    }
    for request_id, wanted in expected.items():
        (event,) = find_events(request_id)
        code = (event["data"]["error"] or {}).get("code")
        assert (event["event_type"], event["user_id"], code, event["data"]["query"]) == wanted, request_id
        assert not any(text in str(event) for text in (ticket, *codes, *new, secret, begun))


def test_what_cannot_be_recorded_has_not_happened(
    ask: Ask, enrolled: Enrolled, without_trail: Callable[[], None]
) -> None:
    ticket, families = _ticket(ask), RefreshFamily.objects.count()
    without_trail()
    answer = ask("POST", "/auth/login", ticket=ticket, code=enrolled[1][0])
    assert answer.json()["code"] == "audit_unavailable"
    assert RefreshFamily.objects.count() == families
    assert len(Totp.objects.get().recovery_digests) == 10
