"""Log-in by a provider against the real trail: browsers, policy, roles, links, and faults."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pyotp
import pytest
from django.db import DatabaseError, connection
from django.test import Client
from pydantic import SecretStr
from pytest_django import Settings

from gateway.identity.account_models import Identity, OAuthClient, Ticket, Totp, UsedFlow
from gateway.identity.models import RefreshFamily, Role, User
from gateway.identity.providers import accounts, connections, flows
from gateway.identity.second_factor import enrol
from local.identity_provider import new_key
from tests.support.gateway import FindEvents, configure
from tests.support.hostile_provider import CLIENT_ID, CLIENT_SECRET, HostileProvider, hostile_provider
from tests.support.identity import PASSWORD, Ask, is_refused
from tests.support.provider_log_in import Browser, configure_provider, parameters_of, providing

_KEY = new_key("one")
_VERIFIER = "v" * 43
_CHALLENGE = base64.urlsafe_b64encode(sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()
_RETURN_TO = "https://console.example/in?a=b"
_RETURN = {"return_to": _RETURN_TO, "code_challenge": _CHALLENGE, "code_challenge_method": "S256"}


@pytest.fixture(autouse=True)
def provider(stack: Settings, user: User) -> Iterator[HostileProvider]:
    """The provider, whose people all become users."""
    del user
    with providing(stack, _KEY) as served:
        configure(stack, login_return_urls=(_RETURN_TO, "http://127.0.0.1/in"))
        yield served


@pytest.fixture
def policy(stack: Settings, provider: HostileProvider) -> Callable[..., None]:
    """Sets members of the provider in the table."""
    return lambda **members: configure_provider(stack, provider, **members)


def _nothing_is_made() -> bool:
    counted = [each.objects.exists() for each in (Identity, RefreshFamily, Ticket)]
    return not any(counted) and User.objects.count() == 1


def _local(email: str = "ada@example.com", **fields: Any) -> User:
    return User.objects.create_user("ada", PASSWORD, email=email, **{"email_verified": True, **fields})


def _with_factor() -> pyotp.TOTP:
    """The authenticator of Ada, who has logged in once, and is logged in no more."""
    assert Browser().log_in().status_code == 200
    user = Identity.objects.get().user
    totp = enrol(user)
    Totp.objects.filter(user=user).update(confirmed_at=datetime.now(UTC))
    RefreshFamily.objects.all().delete()
    return totp


def test_a_log_in_makes_a_user_whose_tokens_work_and_says_so_in_one_event(
    policy: Callable[..., None], ask: Ask, find_events: FindEvents
) -> None:
    policy(create="domains", domains=["example.com"], indices=["devices-gateway"])
    answer = Browser().log_in(request_id="oidc-new")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    me = ask("GET", "/auth/me", answer.json()["access_token"]).json()
    assert me == {
        "username": "ada@example.com",
        "role": "searcher",
        "indices": ["devices-gateway"],
        "writable_types": [],
    }
    user = User.objects.get(username="ada@example.com")
    assert (user.email_verified, user.has_usable_password(), user.full_name) == (False, False, "Ada Lovelace")
    [event] = find_events("oidc-new")
    assert (event["event_type"], event["user_id"]) == ("auth.succeeded", "ada@example.com")
    assert event["metadata"]["auth_scheme"] == "oidc-corp"
    assert event["data"]["query"] == 'add user "ada@example.com"; link an account of corp'
    assert ask("POST", "/auth/token/refresh", refresh_token=answer.json()["refresh_token"]).status_code == 200


def test_the_same_account_is_the_same_user_whatever_its_address_becomes(provider: HostileProvider) -> None:
    assert Browser().log_in().status_code == 200
    provider.change_claims = lambda claims: claims.update(email="octoadmin@example.com", email_verified=False)
    assert Browser().log_in().status_code == 200
    assert Identity.objects.get().user.username == "ada@example.com"
    assert User.objects.count() == 2


def test_an_account_that_is_unlinked_during_a_log_in_stays_unlinked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Browser().log_in().status_code == 200
    RefreshFamily.objects.all().delete()

    def unlinked(*_: Any) -> list[str]:
        # After the account has been found, as its user may.
        Identity.objects.all().delete()
        return []

    monkeypatch.setattr(accounts, "_set_role", unlinked)
    assert Browser().log_in().status_code == 403
    assert not RefreshFamily.objects.exists()


def test_the_browser_is_sent_with_pkce_state_and_nonce_of_256_bits(provider: HostileProvider) -> None:
    begun = Browser().begin()
    assert begun["Location"].startswith(f"{provider.issuer}/authorize?")
    sent = parameters_of(begun["Location"])
    assert sent["redirect_uri"] == "https://sluice.example/auth/corp/callback"
    assert (sent["response_type"], sent["code_challenge_method"]) == ("code", "S256")
    assert {len(sent[name]) for name in ("state", "nonce", "code_challenge")} == {43}
    [cookie] = begun.cookies.values()
    assert cookie.key.startswith("__Host-")
    attributes = {name: cookie[name] for name in ("secure", "httponly", "samesite", "path", "max-age", "domain")}
    assert attributes == {
        "secure": True, "httponly": True, "samesite": "Lax", "path": "/", "max-age": 600, "domain": ""
    }  # fmt: skip
    assert sent["nonce"] not in cookie.value


def test_the_beginning_of_a_log_in_is_an_event(find_events: FindEvents, without_trail: Callable[[], None]) -> None:
    assert Browser().begin("oidc-begun").status_code == 302
    [event] = find_events("oidc-begun")
    assert (event["event_type"], event["user_id"], event["data"]["status"]) == ("auth.succeeded", None, 302)
    assert event["data"]["query"] == "begin a log-in by corp"
    without_trail()
    answer = Browser().begin()
    assert (answer.status_code, "Location" in answer, answer.cookies) == (503, False, {})


def test_two_tabs_do_not_overwrite_each_other_and_five_are_kept() -> None:
    browser = Browser()
    backs = [browser.choose(browser.begin()) for _ in range(flows.MAX_FLOWS + 1)]
    oldest = [browser.come_back(back).status_code for back in backs]
    assert sorted(oldest) == [200] * flows.MAX_FLOWS + [400]


class TestACallbackThatIsNotThisBrowsers:
    """Each is 400, and the code is sent nowhere."""

    @staticmethod
    def _is_refused(answer: Any, provider: HostileProvider, exchanges: int = 0) -> bool:
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), answer.json()
        return provider.seen.count("POST /token") == exchanges

    def test_of_another_browser(self, provider: HostileProvider) -> None:
        browser = Browser()
        back = browser.choose(browser.begin())
        assert self._is_refused(Browser().come_back(back), provider)
        other = Browser()
        other.begin()
        assert self._is_refused(other.come_back(back), provider)
        assert _nothing_is_made()

    def test_of_a_log_in_by_another_provider(self, provider: HostileProvider, stack: Settings) -> None:
        with hostile_provider(_KEY) as other:
            table = {
                name: {
                    "issuer": each.issuer,
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                    "create": "always",
                }
                for name, each in (("corp", provider), ("other", other))
            }
            configure(stack, providers=SecretStr(orjson.dumps(table).decode()))
            browser = Browser()
            back = browser.choose(browser.begin())
            crossed = back.replace("/auth/corp/", "/auth/other/").replace(quote(provider.issuer, safe=""), other.issuer)
            assert parameters_of(crossed)["iss"] == other.issuer
            assert self._is_refused(browser.come_back(crossed), other)
            assert _nothing_is_made()
            assert browser.come_back(back).status_code == 200

    def test_that_comes_twice_even_with_its_cookie(self, provider: HostileProvider) -> None:
        browser = Browser()
        back = browser.choose(browser.begin())
        kept = {name: morsel.value for name, morsel in browser.client.cookies.items()}
        assert browser.come_back(back).status_code == 200
        browser.client.cookies.load(kept)
        assert self._is_refused(browser.come_back(back), provider, 1)

    def test_that_comes_late(self, provider: HostileProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        browser = Browser()
        monkeypatch.setattr(flows, "LIFE", timedelta(seconds=-1))
        begun = browser.begin()
        monkeypatch.undo()
        assert self._is_refused(browser.come_back(browser.choose(begun)), provider)

    @pytest.mark.parametrize("iss", ["https://another.example", None])
    def test_with_another_iss_or_without_the_one_that_is_promised(
        self, iss: str | None, provider: HostileProvider
    ) -> None:
        provider.change_answer = lambda answer: answer.pop("iss") if iss is None else answer.update(iss=iss)
        assert self._is_refused(Browser().log_in(), provider)
        assert _nothing_is_made()

    def test_with_another_iss_where_none_is_promised(self, provider: HostileProvider) -> None:
        provider.change_metadata = lambda it: it.pop("authorization_response_iss_parameter_supported")
        provider.change_answer = lambda answer: answer.update(iss="https://another.example")
        assert self._is_refused(Browser().log_in(), provider)
        provider.change_answer = lambda answer: answer.pop("iss")
        assert Browser().log_in().status_code == 200

    @pytest.mark.parametrize("query", ["", "state=x", "state=x&code=y", "state=%FF", "code=y", "state=a&state=b"])
    def test_with_an_invented_state(self, query: str, provider: HostileProvider) -> None:
        assert self._is_refused(Browser().come_back(f"https://x/auth/corp/callback?{query}"), provider)

    @pytest.mark.parametrize("code", ["", "c" * 2049])
    def test_without_a_code_or_with_a_long_one(self, code: str, provider: HostileProvider) -> None:
        provider.change_answer = lambda answer: answer.update(code=code)
        assert self._is_refused(Browser().log_in(), provider)


def test_a_refusal_of_the_provider_is_401(provider: HostileProvider) -> None:
    provider.change_answer = lambda answer: answer.update(error="access_denied<script>")
    answer = Browser().log_in()
    assert (answer.status_code, "script" in answer.json()["detail"]) == (401, False)
    assert "POST /token" not in provider.seen


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email_verified": 1},
        {"email": "Ada@example.com"},
        {"email": "ada@EXAMPLE.com"},
        {"email": None},
        {"email": "a"},
    ],
)
@pytest.mark.parametrize("create", ["never", "domains"])
def test_an_address_that_is_not_verified_as_it_is_links_to_nobody(
    claims: dict[str, Any], create: str, provider: HostileProvider, policy: Callable[..., None]
) -> None:
    _local()
    policy(link=True, create=create, domains=["example.com"] if create == "domains" else [])
    provider.change_claims = lambda found: found.update(claims)
    refused = Browser().log_in()
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert not Identity.objects.exists() and User.objects.count() == 2
    # The same words as for somebody of whom nothing is known.
    User.objects.filter(username="ada").delete()
    policy(link=True, create="never")
    assert Browser().log_in().json()["detail"] == refused.json()["detail"]


@pytest.mark.parametrize(
    ("in_token", "in_userinfo"),
    [
        ({"email": "ada@example.com"}, {"email": "own@example.com", "email_verified": True}),
        ({"email": "ada@example.com"}, {"email_verified": True}),
        ({"email_verified": True}, {"email": "ada@example.com"}),
        ({"email": "own@example.com", "email_verified": True}, {"email": "ada@example.com", "email_verified": True}),
    ],
)
def test_an_address_is_verified_by_what_is_said_beside_it_and_by_no_other_source(
    in_token: dict[str, Any], in_userinfo: dict[str, Any], provider: HostileProvider, policy: Callable[..., None]
) -> None:
    _local()
    policy(link=True, role_claim="groups", roles={"auditors": "auditor"})

    def change(claims: dict[str, Any]) -> None:
        for name in ("email", "email_verified", "groups"):
            claims.pop(name, None)
        claims.update(in_token)

    provider.change_claims = change
    provider.person = {"sub": "ada", **in_userinfo}
    assert Browser().log_in().status_code == 403
    assert "GET /userinfo" in provider.seen
    provider.person |= {"email": "ada@example.com", "email_verified": True}
    provider.change_claims = lambda claims: [claims.pop(name) for name in ("email", "email_verified")]
    assert Browser().log_in().status_code == 200


@pytest.mark.parametrize("fields", [{"email_verified": False}, {"role": Role.ADMIN}, {"is_active": False}])
def test_a_local_account_that_must_not_be_linked_is_not(fields: dict[str, Any], policy: Callable[..., None]) -> None:
    _local(**fields)
    policy(link=True, create="always")
    assert Browser().log_in().status_code == 403
    assert not Identity.objects.exists() and not RefreshFamily.objects.exists()


def test_an_address_that_both_sides_have_verified_is_linked_where_the_setting_says_so(
    policy: Callable[..., None],
) -> None:
    user = _local()
    assert Browser().log_in().status_code == 403
    policy(link=True)
    assert Browser().log_in().status_code == 200
    assert Identity.objects.get().user == user


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"create": "never"}, 403),
        ({"create": "domains", "domains": ["other.example"]}, 403),
        ({"create": "domains", "domains": ["example.com"]}, 200),
        ({"create": "always"}, 200),
    ],
)
def test_users_are_made_as_the_setting_says(members: dict[str, Any], status: int, policy: Callable[..., None]) -> None:
    policy(**members)
    assert Browser().log_in().status_code == status
    assert User.objects.count() == (2 if status == 200 else 1)


def test_somebody_without_a_verified_address_gets_a_name_that_tells_the_provider(provider: HostileProvider) -> None:
    provider.change_claims = lambda claims: claims.update(email_verified=False, name="a\0b")
    assert Browser().log_in().status_code == 200
    user = Identity.objects.get().user
    assert (user.username[:5], len(user.username), user.email, user.full_name) == ("corp-", 21, None, "")


@pytest.mark.parametrize(
    ("groups", "max_role", "role"),
    [
        (["auditors"], "auditor", "auditor"),
        ("auditors", "auditor", "auditor"),
        (["auditors", "root"], "auditor", "auditor"),
        (["root"], "searcher", "searcher"),
        (["root"], "admin", "admin"),
        (["nobody", 1, None, {}], "admin", "searcher"),
        (None, "admin", "searcher"),
        ({"root": True}, "admin", "searcher"),
    ],
)
def test_a_role_comes_from_a_claim_and_never_above_the_highest(
    groups: Any, max_role: str, role: str, provider: HostileProvider, policy: Callable[..., None]
) -> None:
    table = {"auditors": "auditor", "root": "admin"}
    policy(create="always", role_claim="groups", roles=table, max_role=max_role)
    provider.change_claims = lambda claims: claims.update(groups=groups)
    assert Browser().log_in().status_code == 200
    assert Identity.objects.get().user.role == role


def test_a_role_is_taken_back_with_the_claim_except_one_that_was_given_here_or_is_the_last(
    provider: HostileProvider, policy: Callable[..., None], find_events: FindEvents
) -> None:
    table: dict[str, Any] = {"create": "always", "role_claim": "groups", "roles": {"auditors": "auditor"}}
    policy(**table, max_role="auditor")
    assert Browser().log_in().status_code == 200
    user = Identity.objects.get().user
    assert user.role == Role.AUDITOR
    provider.change_claims = lambda claims: claims.update(groups=[])
    assert Browser().log_in(request_id="oidc-demoted").status_code == 200
    user.refresh_from_db()
    assert user.role == Role.SEARCHER
    [event] = find_events("oidc-demoted")
    assert event["data"]["query"] == 'change user "ada@example.com": role "auditor" to "searcher"'
    for highest in ("auditor", "admin"):
        User.objects.filter(pk=user.pk).update(role=Role.ADMIN)
        policy(**table, max_role=highest)
        assert Browser().log_in().status_code == 200
        user.refresh_from_db()
        assert user.role == Role.ADMIN


def test_a_deactivated_user_is_refused_and_the_tokens_end_at_once(ask: Ask) -> None:
    tokens = Browser().log_in().json()
    User.objects.filter(username="ada@example.com").update(is_active=False)
    assert ask("GET", "/auth/me", tokens["access_token"]).status_code == 401
    assert ask("POST", "/auth/token/refresh", refresh_token=tokens["refresh_token"]).status_code == 401
    assert Browser().log_in().status_code == 403


class TestReturnTo:
    """A log-in that returns to a client with a code."""

    def test_brings_a_code_that_the_client_redeems_once(self, client: Client, ask: Ask) -> None:
        answer = Browser().log_in(**_RETURN, state="mine & yours")
        assert answer.status_code == 302
        back = parameters_of(answer["Location"])
        assert answer["Location"].startswith(f"{_RETURN_TO}&code=")
        assert (back["state"], back["iss"], back["a"]) == ("mine & yours", "https://sluice.example", "b")
        assert not RefreshFamily.objects.exists()
        form = {"grant_type": "authorization_code", "code": back["code"], "code_verifier": _VERIFIER}
        body = urlencode(form | {"redirect_uri": _RETURN_TO})
        redeemed = client.post("/oauth/token", body, "application/x-www-form-urlencoded")
        assert redeemed.status_code == 200, redeemed.json()
        token = redeemed.json()["access_token"]
        assert ask("GET", "/auth/me", token).json()["username"] == "ada@example.com"
        # Whoever shows a code again ends what it has brought.
        assert client.post("/oauth/token", body, "application/x-www-form-urlencoded").status_code == 400
        assert ask("GET", "/auth/me", token).status_code == 401

    @pytest.mark.parametrize(
        "url",
        [
            "https://user@console.example/in?a=b",
            "//console.example/in?a=b",
            "https:\\\\console.example/in?a=b",
            "https://console.example/in?a=b#",
            "https://console.example:444/in?a=b",
            "https://evil.example/",
            "javascript:alert(1)",
            "",
            "https://console.example/" + "a" * 1000,
        ],
    )
    def test_to_another_address_is_400_before_any_redirect(self, url: str, provider: HostileProvider) -> None:
        answer = Browser().begin(**_RETURN | {"return_to": url})
        assert (answer.status_code, "Location" in answer, provider.seen) == (400, False, [])

    @pytest.mark.parametrize(
        "changed",
        [
            {"code_challenge": "short"},
            {"code_challenge_method": "plain"},
            {"state": "s" * 201},
            {"state": "é"},
            {"client_id": "unknown"},
            {"prompt": "none"},
        ],
    )
    def test_with_a_bad_parameter_is_400(self, changed: dict[str, str]) -> None:
        assert Browser().begin(**_RETURN | changed).status_code == 400

    def test_tells_a_refusal_there(
        self, provider: HostileProvider, policy: Callable[..., None], find_events: FindEvents
    ) -> None:
        policy(create="never")
        answer = Browser().log_in(request_id="nobody-here", **_RETURN | {"state": "mine"})
        assert answer["Location"].startswith(_RETURN_TO)
        told = parameters_of(answer["Location"])
        assert (told["error"], told["state"], "code" in told) == ("access_denied", "mine", False)
        [event] = find_events("nobody-here")
        assert (event["event_type"], event["data"]["status"]) == ("auth.failed", 403)
        provider.change_answer = lambda answer: answer.update(error="access_denied")
        assert parameters_of(Browser().log_in(**_RETURN)["Location"])["error"] == "access_denied"

    @staticmethod
    def _ticket(**parameters: str) -> str:
        """The ticket of a log-in that lacks its second factor, as the address shows it to all who see that."""
        told = parameters_of(Browser().log_in(**_RETURN, **parameters)["Location"])
        assert (told["error"], told["enrolled"], "code" in told) == ("factor_required", "true", False)
        return told["ticket"]

    def test_brings_the_ticket_of_a_second_factor_there_for_who_has_the_verifier(self, ask: Ask) -> None:
        totp = _with_factor()
        shown = {"ticket": self._ticket(), "code": totp.now()}
        wrong: list[dict[str, str]] = [{}, *({"code_verifier": each} for each in ("w" * 43, _CHALLENGE, "v"))]
        for verifier in wrong:
            assert is_refused(ask("POST", "/auth/login", **shown, **verifier))
        assert ask("POST", "/auth/login", **shown, code_verifier=_VERIFIER).status_code == 200

    def test_brings_no_ticket_that_begins_a_second_factor(self, ask: Ask, stack: Settings) -> None:
        _with_factor()
        ticket = self._ticket()
        Totp.objects.all().delete()
        assert is_refused(ask("POST", "/auth/totp", ticket=ticket))
        Ticket.objects.all().delete()
        configure(stack, factor_roles=("searcher",))
        told = parameters_of(Browser().log_in(**_RETURN)["Location"])
        assert (told["error"], told["enrolled"], "ticket" in told) == ("factor_required", "false", False)
        assert not Ticket.objects.exists()
        # The browser itself gets one.
        ticket = Browser().log_in().json()["ticket"]
        assert ask("POST", "/auth/totp", ticket=ticket).status_code == 200

    def test_of_a_client_is_the_client_s_after_a_second_factor_too(self, ask: Ask) -> None:
        registered = OAuthClient.objects.create(name="a client", grants=["authorization_code"])
        totp = _with_factor()
        shown = {"ticket": self._ticket(client_id=registered.pk), "code": totp.now(), "code_verifier": _VERIFIER}
        tokens = ask("POST", "/auth/login", **shown).json()
        assert set(tokens) == {"access_token", "token_type", "expires_in"}
        assert RefreshFamily.objects.get().client == registered
        assert ask("POST", "/auth/keys", tokens["access_token"], name="for ever").status_code == 403

    @pytest.mark.parametrize("grants", [None, ["password"]])
    def test_of_a_client_ends_with_the_client_s_right(self, grants: list[str] | None, ask: Ask) -> None:
        registered = OAuthClient.objects.create(name="a client", grants=["authorization_code"])
        totp = _with_factor()
        shown = {"ticket": self._ticket(client_id=registered.pk), "code": totp.now(), "code_verifier": _VERIFIER}
        if grants is None:
            registered.delete()
        else:
            OAuthClient.objects.update(grants=grants)
        assert is_refused(ask("POST", "/auth/login", **shown))
        assert not RefreshFamily.objects.exists()

    def test_the_console_s_own_address_needs_no_setting(self, stack: Settings) -> None:
        configure(stack, public_url="https://sluice.example")
        assert Browser().begin(**_RETURN | {"return_to": "https://sluice.example/"}).status_code == 302
        assert Browser().begin(**_RETURN | {"return_to": "https://sluice.example/x"}).status_code == 400

    def test_takes_any_port_of_loopback(self) -> None:
        answer = Browser().log_in(**_RETURN | {"return_to": "http://127.0.0.1:49152/in"})
        assert answer["Location"].startswith("http://127.0.0.1:49152/in?code=")


def test_an_account_with_a_second_factor_gets_a_ticket(ask: Ask, find_events: FindEvents) -> None:
    totp = _with_factor()
    answer = Browser().log_in()
    assert (answer.status_code, answer.json()["code"]) == (401, "factor_required")
    assert not RefreshFamily.objects.exists()
    request = {"ticket": answer.json()["ticket"], "code": totp.now()}
    assert ask("POST", "/auth/login", None, "oidc-factor", **request).status_code == 200
    [event] = find_events("oidc-factor")
    assert event["metadata"]["auth_scheme"] == "oidc-corp-and-code"


class TestLinking:
    """Accounts that a user links by hand."""

    @staticmethod
    def _tokens(ask: Ask) -> str:
        token: str = ask("POST", "/auth/login", username="octoAdmin", password=PASSWORD).json()["access_token"]
        return token

    def _link(self, token: str) -> Any:
        browser = Browser()
        begun = browser.client.post("/auth/corp/link", headers={"Authorization": f"Bearer {token}"})
        assert begun.status_code == 200, begun.content
        return browser.come_back(browser.choose_at(begun.json()["url"]))

    def test_links_lists_and_unlinks(self, ask: Ask, policy: Callable[..., None]) -> None:
        policy(create="never")
        token = self._tokens(ask)
        linked = self._link(token)
        assert ask("GET", "/auth/me", linked.json()["access_token"]).json()["username"] == "octoAdmin"
        [identity] = ask("GET", "/auth/identities", token).json()["identities"]
        assert (identity["provider"], identity["subject"]) == ("corp", "ada")
        assert Browser().log_in().status_code == 200
        assert ask("DELETE", f"/auth/identities/{identity['id']}", token).status_code == 204
        assert ask("DELETE", f"/auth/identities/{identity['id']}", token).status_code == 204
        assert Browser().log_in().status_code == 403

    def test_says_what_was_done_in_its_events(self, ask: Ask, find_events: FindEvents) -> None:
        token = self._tokens(ask)
        browser, headers = Browser(), {"Authorization": f"Bearer {token}", "X-Request-ID": "link-begun"}
        begun = browser.client.post("/auth/corp/link", headers=headers)
        browser.come_back(browser.choose_at(begun.json()["url"]), "linked")
        ask("DELETE", f"/auth/identities/{Identity.objects.get().pk}", token, "unlinked")
        ask("DELETE", "/auth/identities/1234567", token, "unlinked-none")
        for request_id, words in {
            "link-begun": "begin to link an account of corp",
            "linked": "link an account of corp",
            "unlinked": "unlink an account of corp",
            "unlinked-none": None,
        }.items():
            [event] = find_events(request_id)
            assert (event["event_type"], event["data"]["query"]) == ("auth.succeeded", words)

    def test_takes_a_fresh_log_in(self, ask: Ask) -> None:
        token = self._tokens(ask)
        assert self._link(token).status_code == 200
        RefreshFamily.objects.update(started_at=datetime.now(UTC) - timedelta(minutes=6))
        assert ask("POST", "/auth/corp/link", token).status_code == 403
        identity = Identity.objects.get()
        assert ask("DELETE", f"/auth/identities/{identity.pk}", token).status_code == 403
        assert Identity.objects.exists()

    def test_of_another_user_s_account_is_refused(self, ask: Ask) -> None:
        assert Browser().log_in().status_code == 200
        assert self._link(self._tokens(ask)).status_code == 403
        assert Identity.objects.get().user.username == "ada@example.com"

    def test_of_a_log_in_that_has_ended_is_refused(self, ask: Ask) -> None:
        token, browser = self._tokens(ask), Browser()
        begun = browser.client.post("/auth/corp/link", headers={"Authorization": f"Bearer {token}"})
        assert ask("POST", "/auth/revoke", token=token).status_code == 200
        RefreshFamily.objects.update(revoked_at=datetime.now(UTC))
        assert browser.come_back(browser.choose_at(begun.json()["url"])).status_code == 403
        assert not Identity.objects.exists()

    def test_leaves_the_only_way_in(self, ask: Ask) -> None:
        token = Browser().log_in().json()["access_token"]
        identity = Identity.objects.get()
        assert ask("DELETE", f"/auth/identities/{identity.pk}", token).status_code == 400
        assert Identity.objects.exists()

    def test_does_not_unlink_another_user_s(self, ask: Ask) -> None:
        assert Browser().log_in().status_code == 200
        identity = Identity.objects.get()
        assert ask("DELETE", f"/auth/identities/{identity.pk}", self._tokens(ask)).status_code == 204
        assert Identity.objects.exists()

    def test_is_for_known_callers(self, ask: Ask) -> None:
        for method, path in (("GET", "identities"), ("DELETE", "identities/1"), ("POST", "corp/link")):
            assert ask(method, f"/auth/{path}").status_code == 401
            assert ask(method, f"/auth/{path}", "Octoxlabs b2N0b0FkbWlu").status_code == 403


class TestAway:
    """503, and nothing is made."""

    @staticmethod
    def _is_503(answer: Any, code: str) -> bool:
        assert (answer.status_code, answer.json()["code"]) == (503, code), answer.json()
        return _nothing_is_made()

    def test_the_trail(self, without_trail: Callable[[], None]) -> None:
        browser = Browser()
        back = browser.choose(browser.begin())
        without_trail()
        assert self._is_503(browser.come_back(back), "audit_unavailable")

    def test_the_trail_of_a_log_in_that_returns(self, without_trail: Callable[[], None]) -> None:
        browser = Browser()
        back = browser.choose(browser.begin(**_RETURN))
        without_trail()
        assert self._is_503(browser.come_back(back), "audit_unavailable")

    def test_the_database(self, provider: HostileProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        browser = Browser()
        back = browser.choose(browser.begin())

        def fail(*_: Any, **__: Any) -> None:
            raise DatabaseError("away")

        with monkeypatch.context() as away:
            away.setattr(UsedFlow.objects, "create", fail)
            assert self._is_503(browser.come_back(back), "overloaded")
        # The code has not been sent.
        assert "POST /token" not in provider.seen
        assert browser.come_back(back).status_code == 200

    @pytest.mark.parametrize("returns", [{}, _RETURN], ids=["with tokens", "with a code"])
    @pytest.mark.parametrize(
        "where",
        [
            'INSERT INTO "identity_user"',
            'INSERT INTO "identity_identity"',
            'INSERT INTO "identity_(refreshfamily|ticket)"',
            'INSERT INTO "identity_(refreshfamily|ticket)".*RELEASE',
        ],
        ids=["user", "account", "log-in", "commit"],
    )
    def test_the_database_once_the_code_has_been_sent(
        self, where: str, returns: dict[str, str], provider: HostileProvider
    ) -> None:
        browser = Browser()
        back = browser.choose(browser.begin(**returns))
        sent: list[str] = []
        failed: list[str] = []

        def fail(execute: Any, sql: str, *rest: Any) -> Any:
            if "POST /token" in provider.seen:
                sent.append(sql)
            if not failed and re.search(where, "\n".join(sent), re.DOTALL):
                failed.append(sql)
                raise DatabaseError("away")
            return execute(sql, *rest)

        with connection.execute_wrapper(fail):
            assert self._is_503(browser.come_back(back), "overloaded")
        assert failed

    @pytest.mark.parametrize("status", [500, 502, 302, 307])
    def test_the_provider_s_token_endpoint(self, status: int, provider: HostileProvider) -> None:
        provider.status = HTTPStatus(status)
        assert self._is_503(Browser().log_in(), "provider_unavailable")
        assert not any("elsewhere" in each for each in provider.seen)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{",
            b"{}",
            b"null",
            b"1",
            b'"error"',
            b'"tokens"',
            b'{"access_token": 1}',
            b'{"access_token": "a", "expires_in": {"s": 60}}',
            b'{"access_token": "a", "expires_in": Infinity}',
            b'{"access_token": "a", "expires_at": []}',
            b'{"access_token": "a"' + b" " * 300_000 + b"}",
            b"[" * 200 * 1024,
        ],
        ids=lambda body: body[:45],
    )
    def test_tokens_that_are_none(self, body: bytes, provider: HostileProvider) -> None:
        provider.status, provider.body = HTTPStatus.OK, body
        assert self._is_503(Browser().log_in(), "provider_unavailable")

    def test_a_provider_that_is_slow(self, provider: HostileProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections, "TIMEOUT_SECONDS", 0.3)
        provider.delay = lambda: time.sleep(1)
        assert self._is_503(Browser().log_in(), "provider_unavailable")

    def test_a_request_that_has_used_up_its_time(self, provider: HostileProvider, stack: Settings) -> None:
        browser = Browser()
        back = browser.choose(browser.begin())
        configure(stack, request_timeout=0.5)
        provider.delay = lambda: time.sleep(1.5)
        assert self._is_503(browser.come_back(back), "deadline")

    def test_a_provider_that_keeps_failing_is_left_alone(self, provider: HostileProvider) -> None:
        provider.status = HTTPStatus.BAD_GATEWAY
        for _ in range(5):
            assert Browser().log_in().status_code == 503
        asked = provider.seen.count("POST /token")
        answer = Browser().log_in()
        assert answer.json()["detail"].startswith("The provider corp has failed repeatedly")
        assert provider.seen.count("POST /token") == asked


def test_a_provider_s_refusal_of_the_code_is_401(provider: HostileProvider) -> None:
    provider.status, provider.body = HTTPStatus.BAD_REQUEST, b'{"error": "invalid_grant"}'
    assert Browser().log_in().status_code == 401
    assert _nothing_is_made()


def test_providers_are_listed_and_others_are_unknown(client: Client, policy: Callable[..., None]) -> None:
    policy(label="The corporation")
    listed = client.get("/auth/providers").json()
    corp = {"name": "corp", "label": "The corporation", "url": "https://sluice.example/auth/corp"}
    assert listed == {"providers": [corp], "sign_up": False, "new_password": False}
    for path in ("another", "another/callback", "Corp", "corp/elsewhere"):
        assert client.get(f"/auth/{path}").status_code == 404
