"""The OpenID Foundation's cases for relying parties, by name, played by a hostile provider against the real trail.

https://openid.net/certification/connect_rp_testing/
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwe, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeyParameters, RSAKey
from pytest_django import Settings

from gateway.identity.access_tokens import key_set
from gateway.identity.account_models import Identity
from gateway.identity.models import RefreshFamily, User
from gateway.identity.providers import key_sets
from local.identity_provider import new_key
from tests.support.hostile_provider import CLIENT_SECRET, HostileProvider
from tests.support.provider_log_in import Browser, configure_provider, providing

_KEY, _OTHER = new_key("one"), new_key("one")
_EC: KeyParameters = {"kid": "ec", "use": "sig", "alg": "ES256"}

Play = Callable[[HostileProvider], None]
Sign = Callable[[bytes], bytes]


@pytest.fixture
def provider(stack: Settings, user: User) -> Iterator[HostileProvider]:
    """The provider, whose people all become users."""
    del user
    with providing(stack, _KEY) as served:
        yield served


def _claim(**changed: Any) -> Play:
    def play(provider: HostileProvider) -> None:
        provider.change_claims = lambda claims: claims.update(changed)

    return play


def _without(name: str) -> Play:
    def play(provider: HostileProvider) -> None:
        provider.change_claims = lambda claims: claims.pop(name)

    return play


def _rs256(key: RSAKey) -> Sign:
    return lambda text: key.private_key.sign(text, PKCS1v15(), SHA256())  # type: ignore[union-attr]  # it is private


def _hs256(secret: bytes) -> Sign:
    return lambda text: hmac.digest(secret, text, "sha256")


def _signed(header: dict[str, Any], sign: Sign) -> Play:
    """A token written by hand, as the library refuses some of these itself."""

    def write(claims: dict[str, Any]) -> str:
        text = b".".join(urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=") for part in (header, claims))
        return b".".join((text, urlsafe_b64encode(sign(text)).rstrip(b"="))).decode()

    return lambda provider: setattr(provider, "sign", write)


def _absent_kid(provider: HostileProvider) -> None:
    provider.keys = {"keys": [_KEY.as_dict(private=False), new_key("two").as_dict(private=False)]}
    provider.sign = lambda claims: jwt.encode({"alg": "RS256"}, claims, _KEY)


def _encrypted(claims: dict[str, Any]) -> str:
    """A token under our public key, which would be a decryption for whoever asks."""
    public = {name: value for name, value in key_set().keys[0].as_dict(private=False).items() if name != "use"}
    return jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A256GCM"}, orjson.dumps(claims), RSAKey.import_key(public))


def _deep(claims: dict[str, Any]) -> str:
    payload = orjson.dumps(claims)[:-1] + b',"deep":' + b"[" * 5000 + b"]" * 5000 + b"}"
    header = orjson.dumps({"alg": "RS256", "kid": "one"})
    text = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload))
    return b".".join((text, urlsafe_b64encode(_rs256(_KEY)(text)).rstrip(b"="))).decode()


REFUSED: dict[str, Play] = {
    "NonceInvalid": _claim(nonce="another"),
    "NonceMissing": _without("nonce"),
    "IdTokenSigAlgNone": _signed({"alg": "none"}, lambda _: b""),
    "InvalidSignatureRS256": _signed({"alg": "RS256", "kid": "one"}, _rs256(_OTHER)),
    "InvalidSignatureHS256": _signed({"alg": "HS256", "kid": "one"}, _hs256(CLIENT_SECRET.encode())),
    "HS256WithThePublicKey": _signed({"alg": "HS256", "kid": "one"}, _hs256(_KEY.as_pem(private=False))),
    "InvalidIssuer": _claim(iss="https://another.example"),
    "InvalidAud": _claim(aud="another"),
    "MultipleAudWithoutAzp": _claim(aud=["sluice-test", "another"]),
    "InvalidAzp": _claim(azp="another"),
    "MissingAud": _without("aud"),
    "MissingIat": _without("iat"),
    "MissingSub": _without("sub"),
    "MissingExp": _without("exp"),
    "Expired": _claim(exp=1_700_000_000),
    "IssuedInTheFuture": _claim(iat=4_000_000_000, exp=4_000_000_060),
    "NumberAsSub": _claim(sub=1),
    "TextAsExp": _claim(exp="soon"),
    "InvalidAtHash": _claim(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "KidAbsentMultipleMatchingKeys": _absent_kid,
    "UnknownKid": _signed({"alg": "RS256", "kid": "two"}, _rs256(_KEY)),
    "Crit": _signed({"alg": "RS256", "kid": "one", "crit": None}, _rs256(_KEY)),
    "Jku": _signed({"alg": "RS256", "kid": "one", "jku": "https://evil.example/"}, _rs256(_KEY)),
    "Jwk": _signed({"alg": "RS256", "kid": "one", "jwk": _OTHER.as_dict(private=False)}, _rs256(_OTHER)),
    "X5u": _signed({"alg": "RS256", "kid": "one", "x5u": "https://evil.example/"}, _rs256(_KEY)),
    "Zip": _signed({"alg": "RS256", "kid": "one", "zip": "DEF"}, _rs256(_KEY)),
    "P2c": _signed({"alg": "PBES2-HS256+A128KW", "kid": "one", "p2c": 2**31, "p2s": "AAAA"}, _rs256(_KEY)),
    "JweUnderOurPublicKey": lambda provider: setattr(provider, "sign", _encrypted),
    "DeepClaims": lambda provider: setattr(provider, "sign", _deep),
    "NoIdToken": lambda provider: setattr(provider, "sign", lambda _: None),
    "HugeIdToken": lambda provider: setattr(provider, "sign", lambda _: "a" * 20_000),
    "NotInAscii": lambda provider: setattr(provider, "sign", lambda _: "é.é.é"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_id_token_is_refused_and_makes_nothing(name: str, provider: HostileProvider) -> None:
    REFUSED[name](provider)
    answer = Browser().log_in()
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), answer.json()
    assert not Identity.objects.exists() and not RefreshFamily.objects.exists()
    assert set(User.objects.values_list("username", flat=True)) == {"octoAdmin"}


@pytest.mark.parametrize("is_right", [True, False])
def test_invalid_signature_es256(is_right: bool, provider: HostileProvider, stack: Settings) -> None:
    configure_provider(stack, provider, create="always", algorithm="ES256")
    key, other = (ECKey.generate_key("P-256", _EC) for _ in range(2))
    provider.keys = {"keys": [_KEY.as_dict(private=False), key.as_dict(private=False)]}
    signing = key if is_right else other
    provider.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": "ec"}, claims, signing, ["ES256"])
    provider.change_claims = lambda claims: claims.pop("email")
    assert Browser().log_in().status_code == (200 if is_right else 401)


def test_kid_absent_single_jwks(provider: HostileProvider) -> None:
    provider.sign = lambda claims: jwt.encode({"alg": "RS256"}, claims, _KEY)
    assert Browser().log_in().status_code == 200


def test_ignores_unparseable_key(provider: HostileProvider) -> None:
    broken: list[Any] = [
        None,
        {"kty": "PQ", "kid": "one"},
        {"kty": "RSA", "kid": "one", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": "one"},
        {"kty": "EC", "kid": "one", "crv": "P-0", "x": "", "y": ""},
    ]
    provider.keys = {"keys": [*broken, _KEY.as_dict(private=False)]}
    assert Browser().log_in().status_code == 200


def test_weak_keys_are_ignored(provider: HostileProvider) -> None:
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024, {"kid": "weak", "use": "sig", "alg": "RS256"})
    provider.keys = {"keys": [weak.as_dict(private=False), _KEY.as_dict(private=False)]}
    _signed({"alg": "RS256", "kid": "weak"}, _rs256(weak))(provider)
    assert Browser().log_in().status_code == 401


def test_discovery_issuer_mismatch(provider: HostileProvider, caplog: pytest.LogCaptureFixture) -> None:
    provider.change_metadata = lambda metadata: metadata.update(issuer="https://another.example")
    answer = Browser().begin()
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert "the identity provider corp names another issuer" in caplog.text


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
@pytest.mark.parametrize("url", ["http://login.example/", "file:///etc/passwd", "", None])
def test_an_endpoint_that_may_not_be_called_is_refused(name: str, url: Any, provider: HostileProvider) -> None:
    provider.change_metadata = lambda metadata: metadata.update({name: url})
    assert Browser().begin().json()["code"] == "provider_unavailable"


def test_signing_key_rotation(provider: HostileProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Browser().log_in().status_code == 200
    provider.key = new_key("rotated")
    fetches = provider.seen.count("GET /keys")
    # Within 30 seconds of the last fetch there is none.
    assert Browser().log_in().status_code == 401
    assert provider.seen.count("GET /keys") == fetches
    monkeypatch.setattr(key_sets, "PAUSE_SECONDS", 0.0)
    assert Browser().log_in().status_code == 200
    assert provider.seen.count("GET /keys") == fetches + 1


@pytest.mark.parametrize("keys", [[], "many", [None] * 101])
def test_an_empty_or_huge_key_set_keeps_the_old_keys(
    keys: Any, provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Browser().log_in().status_code == 200
    provider.keys = {"keys": keys}
    monkeypatch.setattr(key_sets, "PAUSE_SECONDS", 0.0)
    provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "unknown"}, claims, _KEY)
    assert Browser().log_in().status_code == 401
    provider.sign = None
    assert Browser().log_in().status_code == 200


@pytest.mark.parametrize("status", [HTTPStatus.FOUND, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY])
def test_keys_that_redirect_or_fail_keep_the_old_keys(
    status: HTTPStatus, provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Browser().log_in().status_code == 200
    provider.keys_status = status
    fetches = provider.seen.count("GET /keys")
    monkeypatch.setattr(key_sets, "PAUSE_SECONDS", 0.0)
    provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "unknown"}, claims, _KEY)
    assert Browser().log_in().status_code == 401
    assert provider.seen.count("GET /keys") == fetches + 1
    assert not any("elsewhere" in each for each in provider.seen)
    provider.sign = None
    assert Browser().log_in().status_code == 200


def test_invalid_sub_in_userinfo(provider: HostileProvider) -> None:
    provider.change_claims = lambda claims: claims.pop("email")
    assert Browser().log_in().status_code == 200
    provider.person = {"sub": "grace", "email": "ada@example.com", "email_verified": True}
    assert Browser().log_in().status_code == 401
