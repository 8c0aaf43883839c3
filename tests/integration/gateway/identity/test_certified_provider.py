"""Each way of logging in by a provider, by one that is certified: npm's ``oidc-provider``, on Node."""

import base64
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from gateway.identity.account_models import Identity
from gateway.identity.models import RefreshFamily, User
from tests.support.certified_provider import OTHER_CALLBACK, CertifiedProvider, certified_provider
from tests.support.gateway import configure
from tests.support.hostile_provider import CLIENT_ID
from tests.support.identity import PASSWORD, Ask, is_refused
from tests.support.provider_log_in import Browser, configure_provider, parameters_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.node

_VERIFIER = "v" * 43
_CHALLENGE = base64.urlsafe_b64encode(sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()
_PKCE = {"code_challenge": _CHALLENGE, "code_challenge_method": "S256"}
_RETURN_TO = "https://console.example/in"


@pytest.fixture(scope="module", params=[("RS256", "client_secret_basic"), ("ES256", "client_secret_post")])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, CertifiedProvider]]:
    """The provider, with the algorithm that it signs with."""
    with certified_provider(*request.param) as provider:
        yield request.param[0], provider


@pytest.fixture(autouse=True)
def provider(served: tuple[str, CertifiedProvider], stack: Settings, user: User) -> CertifiedProvider:
    """The provider, whose people all become users."""
    del user
    algorithm, certified = served
    configure_provider(stack, certified, algorithm=algorithm, create="always", bearer=True)
    configure(stack, login_return_urls=(_RETURN_TO,))
    return certified


def _log_in(provider: CertifiedProvider, **parameters: str) -> Any:
    browser = Browser()
    return browser.come_back(provider.choose(browser.begin(**parameters)["Location"]))


def test_a_log_in_makes_a_user_of_the_claims_of_userinfo(provider: CertifiedProvider, ask: Ask) -> None:
    answer = _log_in(provider)
    assert answer.status_code == 200, answer.content
    assert ask("GET", "/auth/me", answer.json()["access_token"]).json()["username"] == "ada@example.com"
    identity = Identity.objects.get()
    assert (identity.issuer, identity.subject, identity.user.full_name) == (provider.issuer, "ada", "Ada Lovelace")
    assert _log_in(provider).status_code == 200
    assert Identity.objects.count() == 1


def test_a_log_in_that_the_person_gives_up_is_401(provider: CertifiedProvider) -> None:
    browser = Browser()
    back = provider.abort(browser.begin()["Location"])
    assert parameters_of(back)["error"] == "access_denied"
    assert is_refused(browser.come_back(back))
    assert not Identity.objects.exists()


def test_a_log_in_returns_to_a_client_with_a_code(provider: CertifiedProvider, client: Client, ask: Ask) -> None:
    answer = _log_in(provider, return_to=_RETURN_TO, **_PKCE)
    assert answer["Location"].startswith(f"{_RETURN_TO}?code=")
    form = {
        "grant_type": "authorization_code",
        "code": parameters_of(answer["Location"])["code"],
        "code_verifier": _VERIFIER,
        "redirect_uri": _RETURN_TO,
    }
    redeemed = client.post("/oauth/token", urlencode(form), "application/x-www-form-urlencoded")
    assert ask("GET", "/auth/me", redeemed.json()["access_token"]).status_code == 200


def test_an_account_is_linked_and_logs_its_user_in(provider: CertifiedProvider, ask: Ask) -> None:
    token = ask("POST", "/auth/login", username="octoAdmin", password=PASSWORD).json()["access_token"]
    browser = Browser()
    begun = browser.client.post("/auth/corp/link", headers={"Authorization": f"Bearer {token}"})
    assert browser.come_back(provider.choose(begun.json()["url"])).status_code == 200
    assert Identity.objects.get().user.username == "octoAdmin"
    again = _log_in(provider)
    assert ask("GET", "/auth/me", again.json()["access_token"]).json()["username"] == "octoAdmin"


def test_a_callback_names_the_provider_and_is_good_once(provider: CertifiedProvider) -> None:
    browser = Browser()
    back = provider.choose(browser.begin()["Location"])
    assert parameters_of(back)["iss"] == provider.issuer
    kept = {name: morsel.value for name, morsel in browser.client.cookies.items()}
    assert browser.come_back(back).status_code == 200
    browser.client.cookies.load(kept)
    assert browser.come_back(back).status_code == 400


def test_a_callback_without_the_promised_iss_is_refused(provider: CertifiedProvider) -> None:
    browser = Browser()
    parts = urlsplit(provider.choose(browser.begin()["Location"]))
    left = {name: value for name, value in parameters_of(parts.geturl()).items() if name != "iss"}
    assert browser.come_back(parts._replace(query=urlencode(left)).geturl()).status_code == 400


def test_a_code_of_another_log_in_is_refused_by_the_provider(provider: CertifiedProvider) -> None:
    victim, attacker = Browser(), Browser()
    stolen = parameters_of(provider.choose(victim.begin()["Location"]))["code"]
    parts = urlsplit(provider.choose(attacker.begin()["Location"], "grace"))
    injected = parameters_of(parts.geturl()) | {"code": stolen}
    # The attacker's browser has its own state, and another PKCE verifier.
    assert is_refused(attacker.come_back(parts._replace(query=urlencode(injected)).geturl()))
    assert not Identity.objects.exists() and not RefreshFamily.objects.exists()


def test_an_id_token_of_a_program_is_a_bearer_token(provider: CertifiedProvider, ask: Ask) -> None:
    asked = {"client_id": CLIENT_ID, "redirect_uri": OTHER_CALLBACK, "response_type": "code", "scope": "openid"}
    back = provider.choose(f"{provider.issuer}/auth?{urlencode(asked | _PKCE)}")
    token = provider.exchange(parameters_of(back)["code"], _VERIFIER)["id_token"]
    # The first token of a process may come before the keys.
    eventually(lambda: ask("GET", "/auth/me", token).status_code == 401, "nobody has logged in by the account yet")
    assert _log_in(provider).status_code == 200
    assert ask("GET", "/auth/me", token).json()["username"] == "ada@example.com"
    verified = ask("GET", "/auth/verify", token).json()
    assert (verified["iss"], verified["aud"], verified["sub"]) == (provider.issuer, CLIENT_ID, "ada")
