"""ID tokens of a provider as bearer tokens: whom they let in, and what is refused without asking the provider."""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client
from joserfc import jwe
from joserfc.jwk import RSAKey
from pytest_django import Settings
from rest_framework.exceptions import AuthenticationFailed

from gateway.identity.access_tokens import key_set
from gateway.identity.account_models import Identity, Totp
from gateway.identity.authentication import HeaderAuthentication, still_allowed
from gateway.identity.models import RefreshFamily, User
from gateway.identity.providers import key_sets
from gateway.identity.providers.bearer_tokens import read_bearer
from local.identity_provider import new_key
from tests.support.gateway import INDEX, FindEvents, configure
from tests.support.hostile_provider import CLIENT_ID, HostileProvider
from tests.support.identity import PASSWORD, Ask, is_refused
from tests.support.provider_log_in import Browser, configure_provider, providing
from tests.support.waiting import eventually

_KEY, _OTHER = new_key("one"), new_key("one")
_DAY = 24 * 3600
_KEY_SET = "GET /keys"

Header = dict[str, Any]
Sign = Callable[[bytes], bytes]


@pytest.fixture(autouse=True)
def provider(stack: Settings, user: User) -> Iterator[HostileProvider]:
    """A provider whose tokens are taken, and whose keys have been fetched."""
    del user
    with providing(stack, _KEY) as served:
        configure_provider(stack, served, create="always", link=True, bearer=True, indices=[INDEX])
        yield served


@pytest.fixture
def ada(provider: HostileProvider) -> User:
    """Ada, who has logged in by the provider once; nothing that has been asked of it counts."""
    assert Browser().log_in().status_code == 200
    provider.seen.clear()
    return Identity.objects.get().user


def _claims(provider: HostileProvider, **changed: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": provider.issuer, "sub": "ada", "aud": CLIENT_ID, "iat": now, "exp": now + 3600} | changed
    return {name: value for name, value in claims.items() if value is not None}


def _rs256(key: RSAKey = _KEY) -> Sign:
    return lambda text: key.private_key.sign(text, PKCS1v15(), SHA256())  # type: ignore[union-attr]  # it is private


def _hs256(secret: bytes) -> Sign:
    return lambda text: hmac.digest(secret, text, "sha256")


def _encoded(part: Any) -> bytes:
    return urlsafe_b64encode(part if isinstance(part, bytes) else orjson.dumps(part)).rstrip(b"=")


def _written(header: Any, claims: Any, sign: Sign) -> str:
    """A token by hand, as the library refuses some of these itself."""
    text = _encoded(header) + b"." + _encoded(claims)
    return (text + b"." + _encoded(sign(text))).decode()


def _token(provider: HostileProvider, header: Header | None = None, sign: Sign | None = None, **changed: Any) -> str:
    return _written({"alg": "RS256", "kid": "one"} | (header or {}), _claims(provider, **changed), sign or _rs256())


@pytest.mark.usefixtures("ada")
class TestWhomATokenLetsIn:
    """The user of its issuer and subject, and nobody else."""

    def test_searches_and_is_named_on_the_trail(
        self, provider: HostileProvider, client: Client, find_events: FindEvents
    ) -> None:
        headers = {"Authorization": f"bearer {_token(provider)}", "X-Request-ID": "bearer-search"}
        answer = client.post("/search", {"query": ""}, content_type="application/json", headers=headers)
        assert answer.status_code == 200, answer.content
        [event] = find_events("bearer-search")
        assert (event["user_id"], event["metadata"]["auth_scheme"]) == ("ada@example.com", "bearer-oidc-corp")
        assert provider.seen == []

    @pytest.mark.parametrize("header", [{}, {"typ": "JWT"}])
    def test_as_its_claims_say(self, header: Header, provider: HostileProvider, ask: Ask) -> None:
        claims = _claims(provider, aud=[CLIENT_ID], azp=CLIENT_ID, nonce="any")
        token = _written({"alg": "RS256", "kid": "one"} | header, claims, _rs256())
        assert ask("GET", "/auth/me", token).json()["username"] == "ada@example.com"
        verified = ask("GET", "/auth/verify", token)
        expected = {name: claims[name] for name in ("iss", "sub", "iat", "exp")} | {"aud": CLIENT_ID}
        assert (verified.status_code, verified.json()) == (200, expected)

    def test_is_not_found_by_mail_address_or_name(self, provider: HostileProvider, ask: Ask) -> None:
        User.objects.create_user("grace", PASSWORD, email="grace@example.com", email_verified=True)
        person: dict[str, Any] = {"email": "grace@example.com", "email_verified": True, "preferred_username": "grace"}
        for subject in ("grace", "ada@example.com", "octoAdmin"):
            assert is_refused(ask("GET", "/auth/me", _token(provider, sub=subject, **person)))
        assert User.objects.count() == 3 and Identity.objects.count() == 1

    def test_not_while_inactive(self, ada: User, provider: HostileProvider, ask: Ask) -> None:
        assert ask("GET", "/auth/me", _token(provider)).status_code == 200
        User.objects.filter(pk=ada.pk).update(is_active=False)
        assert is_refused(ask("GET", "/auth/me", _token(provider)))

    def test_not_on_and_on_in_a_request_that_takes_long(self, ada: User, provider: HostileProvider) -> None:
        request: Any = SimpleNamespace(META={"HTTP_AUTHORIZATION": f"Bearer {_token(provider)}"})
        found = HeaderAuthentication().authenticate(request)
        assert found is not None
        assert still_allowed(*found) == ada
        Identity.objects.all().delete()
        with pytest.raises(AuthenticationFailed):
            still_allowed(*found)

    def test_not_by_an_account_that_is_linked_no_more(self, provider: HostileProvider, ask: Ask) -> None:
        Identity.objects.all().delete()
        assert is_refused(ask("GET", "/auth/me", _token(provider)))

    def test_not_around_a_second_factor(self, ada: User, provider: HostileProvider, ask: Ask, stack: Settings) -> None:
        configure(stack, factor_roles=("searcher",))
        assert is_refused(ask("GET", "/auth/me", _token(provider)))
        configure(stack, factor_roles=())
        totp = Totp.objects.create(user=ada, sealed_secret="sealed")
        assert ask("GET", "/auth/me", _token(provider)).status_code == 200
        totp.confirmed_at = datetime.now(UTC)
        totp.save()
        assert is_refused(ask("GET", "/auth/me", _token(provider)))

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/auth/keys"),
            ("POST", "/auth/session"),
            ("POST", "/auth/tickets"),
            ("POST", "/auth/totp"),
            ("POST", "/auth/corp/link"),
            ("GET", "/auth/users"),
            ("GET", "/oauth/clients"),
        ],
    )
    def test_gets_no_credential_that_outlives_the_token(
        self, method: str, path: str, provider: HostileProvider, ask: Ask
    ) -> None:
        answer = ask(method, path, _token(provider))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_is_none_of_a_provider_whose_setting_does_not_say_so(
        self, provider: HostileProvider, ask: Ask, stack: Settings
    ) -> None:
        configure_provider(stack, provider, create="always")
        assert is_refused(ask("GET", "/auth/me", _token(provider)))

    def test_comes_by_the_scheme_bearer_alone(self, provider: HostileProvider, ask: Ask) -> None:
        assert is_refused(ask("GET", "/auth/me", f"Octoxlabs {_token(provider)}"))


def _extra(**members: Any) -> Callable[[HostileProvider], str]:
    return lambda provider: _token(provider, members)


def _claiming(**changed: Any) -> Callable[[HostileProvider], str]:
    return lambda provider: _token(provider, **changed)


def _without_kid(provider: HostileProvider) -> str:
    return _written({"alg": "RS256"}, _claims(provider), _rs256())


def _encrypted(provider: HostileProvider) -> str:
    """A token under our public key, which would be a decryption for whoever asks."""
    ours = RSAKey.import_key(
        {name: value for name, value in key_set().keys[0].as_dict(private=False).items() if name != "use"}
    )
    return jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A256GCM"}, _token(provider), ours)


_now = int(time.time())
REFUSED: dict[str, Callable[[HostileProvider], str]] = {
    "AlgNone": lambda provider: _token(provider, {"alg": "none"}, lambda _: b""),
    "NoSignature": lambda provider: _token(provider, sign=lambda _: b""),
    "HS256WithThePublicKey": lambda provider: _token(provider, {"alg": "HS256"}, _hs256(_KEY.as_pem(private=False))),
    "RS512": _extra(alg="RS512"),
    "AnotherKey": lambda provider: _token(provider, sign=_rs256(_OTHER)),
    "NoKid": _without_kid,
    "KidThatIsNoText": _extra(kid=1),
    "Crit": _extra(crit=["exp"]),
    "Jku": _extra(jku="https://evil.example/keys"),
    "Jwk": _extra(jwk=_OTHER.as_dict(private=False)),
    "X5u": _extra(x5u="https://evil.example/certificate"),
    "X5c": _extra(x5c=["AAAA"]),
    "Zip": _extra(zip="DEF"),
    "P2c": _extra(alg="PBES2-HS256+A128KW", p2c=2**31, p2s="AAAA"),
    "B64": _extra(b64=False),
    "JweUnderOurPublicKey": _encrypted,
    "AccessTokenType": _extra(typ="at+jwt"),
    "LogOutTokenType": _extra(typ="logout+jwt"),
    "TypeThatIsNoText": _extra(typ=[]),
    "LongHeader": _extra(kid="k" * 1024),
    "LongToken": _claiming(more="m" * 16_384),
    "HeaderThatIsNoObject": lambda provider: _written([], _claims(provider), _rs256()),
    "HeaderThatIsNoJson": lambda provider: _written(b"{", _claims(provider), _rs256()),
    "ClaimsThatAreNoObject": lambda _: _written({"alg": "RS256", "kid": "one"}, [1], _rs256()),
    "DeepClaims": lambda provider: _written(
        {"alg": "RS256", "kid": "one"},
        orjson.dumps(_claims(provider))[:-1] + b',"deep":' + b"[" * 1000 + b"]" * 1000 + b"}",
        _rs256(),
    ),
    "AnotherIssuer": _claiming(iss="https://another.example"),
    "IssuerThatIsNoText": _claiming(iss=["https://another.example"]),
    "NoIssuer": _claiming(iss=None),
    "AnotherAudience": _claiming(aud="another"),
    "NoAudience": _claiming(aud=None),
    "AudiencesWithoutAzp": _claiming(aud=[CLIENT_ID, "another"]),
    "AnotherAzp": _claiming(azp="another"),
    "NoSubject": _claiming(sub=None),
    "NumberAsSubject": _claiming(sub=1),
    "NoIat": _claiming(iat=None),
    "NoExp": _claiming(exp=None),
    "NotANumberAsExp": lambda provider: _written(
        {"alg": "RS256", "kid": "one"},
        orjson.dumps(_claims(provider, exp=7)).replace(b'"exp":7', b'"exp":NaN'),
        _rs256(),
    ),
    "TextAsExp": _claiming(exp="soon"),
    "IssuedInTheFuture": _claiming(iat=_now + 3600, exp=_now + 7200),
    "NotYet": _claiming(nbf=_now + 3600),
    "LongerThanADay": _claiming(iat=_now - 10, exp=_now + _DAY),
}


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_token_is_refused_without_asking_the_provider(name: str, provider: HostileProvider, ask: Ask) -> None:
    assert ask("GET", "/auth/me", _token(provider)).status_code == 200
    assert is_refused(ask("GET", "/auth/me", REFUSED[name](provider)))
    assert provider.seen == []


@pytest.mark.usefixtures("ada")
def test_an_expired_token_says_that_a_new_one_is_all_it_takes(provider: HostileProvider, ask: Ask) -> None:
    token = _token(provider, iat=_now - 3600, exp=_now - 60)
    assert is_refused(ask("GET", "/auth/me", token), "token_expired")


@pytest.mark.usefixtures("ada")
def test_ten_thousand_unknown_kids_cause_one_fetch(
    provider: HostileProvider, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after the 30 seconds since the fetch of the log-in; the next 30 are the flood's.
    monkeypatch.setattr(key_sets, "PAUSE_SECONDS", 0.0)
    assert is_refused(ask("GET", "/auth/me", _token(provider, {"kid": "unknown"})))
    eventually(lambda: _KEY_SET in provider.seen, "the unknown kid has begun a fetch")
    monkeypatch.setattr(key_sets, "PAUSE_SECONDS", 30.0)

    def flood(numbers: range) -> int:
        refused = 0
        for number in numbers:
            try:
                read_bearer(_token(provider, {"kid": f"unknown-{number}"}, lambda _: b"s"), datetime.now(UTC))
            except AuthenticationFailed:
                refused += 1
        return refused

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(flood, [range(start, start + 2500) for start in range(0, 10_000, 2500)])) == 10_000
    assert provider.seen.count(_KEY_SET) == 1
    assert ask("GET", "/auth/me", _token(provider)).status_code == 200


@pytest.mark.usefixtures("ada")
def test_a_rotated_key_is_fetched_in_the_background(
    provider: HostileProvider, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.key = new_key("two")
    token = _token(provider, {"kid": "two"}, _rs256(provider.key))
    # Within 30 seconds of the last fetch there is none.
    assert is_refused(ask("GET", "/auth/me", token))
    assert provider.seen == []
    monkeypatch.setattr(key_sets, "PAUSE_SECONDS", 0.0)
    assert is_refused(ask("GET", "/auth/me", token))
    monkeypatch.setattr(key_sets, "PAUSE_SECONDS", 30.0)
    eventually(lambda: ask("GET", "/auth/me", token).status_code == 200, "the new key is there")
    assert provider.seen.count(_KEY_SET) == 1


@pytest.mark.usefixtures("ada")
def test_old_keys_go_on_for_a_day_while_the_provider_fails(
    provider: HostileProvider, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_sets, "PAUSE_SECONDS", 0.0)
    provider.keys = {"keys": []}
    assert is_refused(ask("GET", "/auth/me", _token(provider, {"kid": "two"})))
    eventually(lambda: _KEY_SET in provider.seen, "a fetch that fails")
    assert ask("GET", "/auth/me", _token(provider)).status_code == 200
    monkeypatch.setattr(key_sets, "STALE_SECONDS", 0.0)
    answer = ask("GET", "/auth/me", _token(provider))
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")


@pytest.mark.usefixtures("ada")
def test_ours_are_taken_as_ever_beside_those_of_a_provider(provider: HostileProvider, ask: Ask) -> None:
    tokens = Browser().log_in().json()
    provider.seen.clear()
    for scheme in ("Bearer", "Octoxlabs"):
        assert ask("GET", "/auth/me", f"{scheme} {tokens['access_token']}").json()["username"] == "ada@example.com"
    RefreshFamily.objects.all().delete()
    assert provider.seen == []


def test_the_resource_s_metadata_name_the_providers_whose_tokens_are_taken(
    provider: HostileProvider, client: Client, stack: Settings
) -> None:
    path = "/.well-known/oauth-protected-resource"
    assert client.get(path).json()["authorization_servers"] == ["https://sluice.example", provider.issuer]
    configure_provider(stack, provider)
    assert client.get(path).json()["authorization_servers"] == ["https://sluice.example"]
