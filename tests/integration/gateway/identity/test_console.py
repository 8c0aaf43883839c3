"""The console's session, and tickets, against the real trail."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from gateway.identity.access_tokens import mint
from gateway.identity.account_models import ConsoleSession, OAuthClient, Ticket
from gateway.identity.console_sessions import COOKIE, IDLE, LIFE
from gateway.identity.models import RefreshFamily, Role, User
from gateway.identity.refresh_tokens import end_family, start_family
from gateway.identity.tickets import MAX_TICKETS, use_ticket
from tests.support.gateway import FindEvents
from tests.support.identity import OTHER_PASSWORD, PASSWORD, Ask, is_refused

ORIGIN = "https://sluice.example"

Page = Callable[..., Any]


@pytest.fixture
def page(client: Client, user: User, stack: Settings) -> Page:
    """Asks as a page of the console does: method, path, token, X-Request-ID; more headers."""
    del user
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"public_url": ORIGIN})

    def ask(
        method: str, path: str, token: str | None = None, request_id: str = "r", /, *, body: bytes = b"", **headers: str
    ) -> Any:
        sent = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "X-Request-ID": request_id} | headers
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        media_type = "application/json" if body else "application/octet-stream"
        return client.generic(method, f"/auth/session{path}", body, media_type, headers=sent)

    return ask


@pytest.fixture
def token(ask: Ask) -> str:
    """An access token of a log-in."""
    return str(ask("POST", "/auth/login", username="octoAdmin", password=PASSWORD).json()["access_token"])


def _later(**passed: timedelta) -> None:
    """Let time pass for every session, by setting its times back."""
    for session in ConsoleSession.objects.all():
        for name, by in passed.items():
            setattr(session, name, getattr(session, name) - by)
        session.save()


def test_a_session_mints_tokens_of_five_minutes(page: Page, token: str, ask: Ask) -> None:
    begun = page("POST", "", token)
    assert (begun.status_code, begun.content) == (204, b"")
    cookie = begun.cookies[COOKIE]
    assert COOKIE.startswith("__Host-")
    assert (cookie["path"], cookie["domain"], cookie["secure"], cookie["httponly"], cookie["samesite"]) == (
        "/",
        "",
        True,
        True,
        "Strict",
    )
    assert cookie["max-age"] == LIFE.total_seconds()
    minted = page("POST", "/token")
    assert (minted.status_code, minted["Cache-Control"], minted.json()["expires_in"]) == (200, "no-store", 300)
    assert "refresh_token" not in minted.json()
    me = ask("GET", "/auth/me", minted.json()["access_token"])
    assert (me.status_code, me.json()) == (200, minted.json()["me"])


def test_the_cookie_is_good_for_nothing_else(page: Page, token: str, client: Client) -> None:
    page("POST", "", token)
    for method, path in (("GET", "/auth/me"), ("GET", "/fields"), ("POST", "/auth/keys"), ("POST", "/auth/session")):
        headers = {"Origin": ORIGIN}
        assert client.generic(method, path, headers=headers).status_code == 401, path


def test_the_cookie_s_value_is_in_no_table(page: Page, token: str) -> None:
    secret = page("POST", "", token).cookies[COOKIE].value
    assert secret not in str(ConsoleSession.objects.values().get())


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://sluice.example"},
        {"Origin": "https://sluice.example:8443"},
        {"Origin": "https://sluice.example.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://[::1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_page_elsewhere_gets_nothing(headers: dict[str, str], page: Page, token: str) -> None:
    assert page("POST", "", token, **headers).status_code == 403
    assert page("POST", "", token).status_code == 204
    for method, path in (("POST", "/token"), ("DELETE", "")):
        assert page(method, path, **headers).status_code == 403
    assert page("POST", "/token").status_code == 200


def test_the_usual_port_may_be_said(page: Page, token: str) -> None:
    assert page("POST", "", token, Origin="https://sluice.example:443").status_code == 204


def test_a_session_takes_a_fresh_token_of_a_log_in(page: Page, token: str, ask: Ask, user: User) -> None:
    now = datetime.now(UTC)
    family = start_family(user, now)
    old = mint(user, family.pk.hex, now - timedelta(minutes=5), seconds=3600)
    key = ask("POST", "/auth/keys", token, name="a key").json()["api_key"]
    of_key = ask("POST", "/auth/token", api_key=key).json()["access_token"]
    of_client = mint(user, start_family(user, now, OAuthClient.objects.create(name="a client")).pk.hex, now)
    for refused in (old, of_key, of_client):
        assert page("POST", "", refused).status_code == 403
    assert is_refused(page("POST", ""))
    assert page("POST", "", None, Authorization="Octoxlabs b2N0b0FkbWlu").status_code == 403
    assert not ConsoleSession.objects.exists()


def test_a_session_ends_after_twelve_hours_and_two_without_use(page: Page, token: str) -> None:
    page("POST", "", token)
    _later(last_used_at=IDLE - timedelta(minutes=1))
    assert page("POST", "/token").status_code == 200
    _later(last_used_at=IDLE)
    assert is_refused(page("POST", "/token"))
    page("POST", "", token)
    _later(expires_at=LIFE)
    assert is_refused(page("POST", "/token"))


def test_a_page_that_nobody_touches_does_not_keep_its_session(page: Page, token: str) -> None:
    page("POST", "", token)
    # An open page comes again with its socket each hour: by itself, which is no use.
    for _ in range(2):
        _later(last_used_at=timedelta(minutes=59))
        assert page("POST", "/token", body=b'{"idle": true}').status_code == 200
    _later(last_used_at=timedelta(minutes=3))
    assert is_refused(page("POST", "/token", body=b'{"idle": true}'))
    assert page("POST", "/token", body=b'{"idle": 1}').status_code == 400


def test_the_last_token_of_a_session_ends_with_it(page: Page, token: str) -> None:
    page("POST", "", token)
    _later(expires_at=LIFE - timedelta(minutes=2))
    assert page("POST", "/token").json()["expires_in"] <= 120


def _by_log_out(_: User, ask: Ask, token: str) -> None:
    family = RefreshFamily.objects.get(revoked_at=None)
    end_family(family, datetime.now(UTC))
    del ask, token


def _by_password(user: User, ask: Ask, token: str) -> None:
    assert ask("POST", "/auth/password", token, old_password=PASSWORD, new_password=OTHER_PASSWORD).status_code == 204
    del user


def _by_deactivation(user: User, ask: Ask, token: str) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    del ask, token


@pytest.mark.parametrize("end", [_by_log_out, _by_password, _by_deactivation])
def test_a_session_ends_with_its_log_in_and_its_user(
    end: Callable[[User, Ask, str], None], page: Page, token: str, ask: Ask, user: User
) -> None:
    page("POST", "", token)
    end(user, ask, token)
    assert is_refused(page("POST", "/token"))


def test_the_end_of_a_session_ends_its_log_in(page: Page, token: str, ask: Ask) -> None:
    page("POST", "", token)
    minted = page("POST", "/token").json()["access_token"]
    ended = page("DELETE", "")
    assert (ended.status_code, ended.cookies[COOKIE].value, ended.cookies[COOKIE]["secure"]) == (204, "", True)
    for each in (token, minted):
        assert is_refused(ask("GET", "/auth/me", each))
    assert is_refused(page("POST", "/token"))
    assert page("DELETE", "").status_code == 204


def test_every_call_of_a_session_is_an_event(page: Page, token: str, find_events: FindEvents) -> None:
    secret = page("POST", "", token, "console-begun").cookies[COOKIE].value
    page("POST", "/token", None, "console-minted")
    page("POST", "/token", None, "console-foreign", Origin="https://evil.example")
    page("DELETE", "", None, "console-ended")
    page("POST", "/token", None, "console-late")
    expected = {
        "console-begun": ("auth.succeeded", "octoAdmin", "bearer-jwt"),
        "console-minted": ("auth.succeeded", "octoAdmin", "console-session"),
        "console-foreign": ("auth.failed", None, None),
        "console-ended": ("auth.succeeded", "octoAdmin", "console-session"),
        "console-late": ("auth.failed", None, None),
    }
    for request_id, wanted in expected.items():
        (event,) = find_events(request_id)
        assert (event["event_type"], event["user_id"], event["metadata"]["auth_scheme"]) == wanted, request_id
        assert secret not in str(event)


def test_what_cannot_be_recorded_has_not_happened(
    page: Page, token: str, ask: Ask, without_trail: Callable[[], None]
) -> None:
    page("POST", "", token)
    before = ConsoleSession.objects.values().get()
    without_trail()
    answers = (page("POST", "", token), page("POST", "/token"), page("DELETE", ""))
    assert [answer.status_code for answer in answers] == [503] * 3
    assert ask("POST", "/auth/tickets", token, **{"for": "notifications"}).status_code == 503
    assert ConsoleSession.objects.values().get() == before
    assert RefreshFamily.objects.get().revoked_at is None
    assert not Ticket.objects.exists()


def _ticket(ask: Ask, token: str, **body: Any) -> Any:
    return ask("POST", "/auth/tickets", token, **body)


def test_a_ticket_is_good_once_for_its_purpose_within_thirty_seconds(ask: Ask, token: str) -> None:
    made = _ticket(ask, token, **{"for": "notifications"})
    assert (made.status_code, made["Cache-Control"], made.json()["expires_in"]) == (201, "no-store", 30)
    text, now = made.json()["ticket"], datetime.now(UTC)
    assert text not in str(Ticket.objects.values().get())
    assert use_ticket("tail", text, now) is None
    assert use_ticket("notifications", text, now + timedelta(seconds=30)) is None
    ticket = use_ticket("notifications", text, now)
    assert ticket is not None and ticket.user.username == "octoAdmin"
    assert use_ticket("notifications", text, now) is None


def test_a_ticket_for_a_download_keeps_its_search(ask: Ask, token: str) -> None:
    search = {"query": "Hostname = a*", "fields": ["Hostname"], "index": "devices"}
    text = _ticket(ask, token, **{"for": "download", "search": search, "format": "csv"}).json()["ticket"]
    ticket = use_ticket("download", text, datetime.now(UTC))
    assert ticket is not None and ticket.data == {"search": search, "format": "csv"}


def test_a_ticket_ends_with_the_log_in_that_it_was_made_by(ask: Ask, token: str) -> None:
    text = _ticket(ask, token, **{"for": "notifications"}).json()["ticket"]
    end_family(RefreshFamily.objects.get(), datetime.now(UTC))
    assert use_ticket("notifications", text, datetime.now(UTC)) is None


def test_the_tail_is_for_auditors(ask: Ask, token: str, user: User) -> None:
    assert _ticket(ask, token, **{"for": "tail"}).status_code == 403
    User.objects.filter(pk=user.pk).update(role=Role.AUDITOR)
    assert _ticket(ask, token, **{"for": "tail"}).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"for": "everything"},
        {"for": "download"},
        {"for": "download", "search": {}},
        {"for": "download", "search": "a", "format": "csv"},
        {"for": "download", "search": {}, "format": "xlsx"},
        {"for": "notifications", "search": {}, "format": "csv"},
        {"for": "notifications", "format": "csv"},
    ],
)
def test_what_no_ticket_is_for_is_refused(body: dict[str, Any], ask: Ask, token: str) -> None:
    assert _ticket(ask, token, **body).status_code == 400


def test_a_user_has_so_many_tickets_at_one_time(ask: Ask, token: str) -> None:
    answers = [_ticket(ask, token, **{"for": "notifications"}) for _ in range(MAX_TICKETS + 1)]
    assert [answer.status_code for answer in answers] == [201] * MAX_TICKETS + [429]
    assert int(answers[-1]["Retry-After"]) > 0
    use_ticket("notifications", answers[0].json()["ticket"], datetime.now(UTC))
    assert _ticket(ask, token, **{"for": "notifications"}).status_code == 201


def test_a_ticket_takes_a_signed_token(ask: Ask) -> None:
    assert _ticket(ask, "Octoxlabs b2N0b0FkbWlu", **{"for": "notifications"}).status_code == 403
