"""Access tokens: which are taken, and which are not."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from pytest_django import Settings

from gateway.identity.access_tokens import MAX_CHARACTERS, ExpiredToken, InvalidToken, key_set, mint, read
from gateway.identity.models import User

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
OCTO_ADMIN = User(username="octoAdmin")
STRANGER = RSAKey.generate_key(2048)


def _claims(**changed: Any) -> dict[str, Any]:
    claims = {
        "iss": "sluice",
        "aud": "sluice",
        "sub": "octoAdmin",
        "iat": SECONDS,
        "nbf": SECONDS,
        "exp": SECONDS + 60,
        "jti": "this one",
        "sid": "its session",
    } | changed
    return {name: value for name, value in claims.items() if value is not None}


def _header(**changed: Any) -> dict[str, Any]:
    header = {"alg": "RS256", "typ": "at+jwt", "kid": key_set().keys[0].kid} | changed
    return {name: value for name, value in header.items() if value is not None}


def _signed(header: dict[str, Any] | None = None, key: Any = None, **changed: Any) -> str:
    return jwt.encode(header or _header(), _claims(**changed), key or key_set().keys[0], default_type=None)


def _base64url(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_says_who_comes_in_until_when_and_from_which_session() -> None:
    token = read(mint(OCTO_ADMIN, "a session", NOW), NOW)
    assert (token.username, token.session, token.expires_at) == ("octoAdmin", "a session", SECONDS + 300)


def test_every_token_has_an_id_of_its_own() -> None:
    assert read(mint(OCTO_ADMIN, "a", NOW), NOW).token_id != read(mint(OCTO_ADMIN, "a", NOW), NOW).token_id


def test_a_token_does_not_outlive_what_it_was_issued_for() -> None:
    assert read(mint(OCTO_ADMIN, "a key", NOW, NOW + timedelta(seconds=9)), NOW).expires_at == SECONDS + 9


def test_the_longest_user_name_fits() -> None:
    text = mint(User(username="用" * 150), "0" * 36, NOW)
    assert len(text) < MAX_CHARACTERS
    assert read(text, NOW).username == "用" * 150


def test_a_token_expires() -> None:
    text = mint(OCTO_ADMIN, "a session", NOW)
    read(text, NOW + timedelta(seconds=300))
    with pytest.raises(ExpiredToken, match="/auth/token"):
        read(text, NOW + timedelta(seconds=310))


@pytest.mark.parametrize(
    "changed",
    [
        {"nbf": SECONDS + 60},
        {"iat": SECONDS + 60},
        {"iss": "another"},
        {"iss": ["sluice"]},
        {"aud": "another"},
        {"aud": ["another", "one more"]},
        {"aud": []},
        {"exp": "never"},
        {"exp": True},
        {"sub": ["octoAdmin"]},
        {"sub": ""},
        {"jti": 1},
        {"sid": 1},
        *({name: None} for name in ("iss", "aud", "sub", "iat", "exp", "jti", "sid")),
    ],
)
def test_a_token_with_other_claims_is_refused_though_our_key_signed_it(changed: dict[str, Any]) -> None:
    read(_signed(), NOW)
    with pytest.raises(InvalidToken) as refused:
        read(_signed(**changed), NOW)
    assert not isinstance(refused.value, ExpiredToken)


def test_a_token_for_several_audiences_is_ours_if_one_of_them_is_us() -> None:
    read(_signed(aud=["another", "sluice"]), NOW)


@pytest.mark.parametrize("typ", ["JWT", "refresh", None])
def test_a_token_of_another_type_is_refused_though_our_key_signed_it(typ: str | None) -> None:
    with pytest.raises(InvalidToken):
        read(_signed(_header(typ=typ)), NOW)


@pytest.mark.parametrize("kid", ["another", "", None])
def test_a_token_of_an_unknown_key_id_is_refused_though_our_key_signed_it(kid: str | None) -> None:
    with pytest.raises(InvalidToken):
        read(_signed(_header(kid=kid)), NOW)


def test_a_strangers_signature_is_refused_under_our_key_id() -> None:
    with pytest.raises(InvalidToken):
        read(_signed(key=STRANGER), NOW)


@pytest.mark.parametrize(
    "pointer",
    [
        {"jku": "https://attacker.example/jwks.json"},
        {"x5u": "https://attacker.example/cert.pem"},
        {"jwk": STRANGER.as_dict(private=False)},
        {"x5c": ["MIIB"]},
    ],
)
def test_a_key_that_the_header_brings_along_is_not_used(pointer: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        read(_signed(_header(**pointer), key=STRANGER), NOW)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
def test_an_unsigned_token_is_refused_however_it_spells_it(alg: str) -> None:
    for signature in ("", "AAAA"):
        with pytest.raises(InvalidToken):
            read(f"{_base64url(_header(alg=alg))}.{_base64url(_claims())}.{signature}", NOW)


def test_our_public_key_is_no_shared_secret() -> None:
    public = key_set().keys[0].as_pem(private=False)  # type: ignore[union-attr]  # they are RSA keys
    for secret in (public, public.strip()):
        signed = f"{_base64url(_header(alg='HS256'))}.{_base64url(_claims())}"
        signature = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).rstrip(b"=").decode()
        with pytest.raises(InvalidToken):
            read(f"{signed}.{signature}", NOW)


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256"])
def test_no_other_algorithm_is_taken_even_with_our_own_key(alg: str) -> None:
    own = RSAKey.import_key(key_set().keys[0].as_pem(private=True))  # type: ignore[union-attr]  # they are RSA keys
    text = jwt.encode(_header(alg=alg), _claims(), own, [alg], default_type=None)
    with pytest.raises(InvalidToken):
        read(text, NOW)


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"zip": "DEF"}, {"enc": "A128GCM"}]
)
def test_a_header_that_asks_for_more_is_refused(header: dict[str, Any]) -> None:
    signature = _signed().rpartition(".")[2]
    with pytest.raises(InvalidToken):
        read(f"{_base64url(_header() | header)}.{_base64url(_claims())}.{signature}", NOW)


def test_every_truncation_and_every_changed_character_is_refused() -> None:
    text = _signed()
    for cut in range(len(text)):
        with pytest.raises(InvalidToken):
            read(text[:cut], NOW)
    for place in range(0, len(text), 7):
        with pytest.raises(InvalidToken):
            read(text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :], NOW)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b.c", "....", "ş.ş.ş", "\ud800.a.b", "a" * 10**6, "." * 10**6]
)
def test_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        read(text, NOW)


@given(st.one_of(st.text(), st.lists(st.binary(max_size=40), min_size=2, max_size=5)))
def test_no_text_does_anything_but_be_refused(parts: str | list[bytes]) -> None:
    text = parts if isinstance(parts, str) else ".".join(base64.urlsafe_b64encode(part).decode() for part in parts)
    with pytest.raises(InvalidToken):
        read(text, NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jku", "jwk", "x5c", "cty"])


@given(st.dictionaries(names, json_values, max_size=4), json_values)
def test_no_header_or_payload_does_anything_but_be_refused(header: dict[str, Any], payload: Any) -> None:
    with pytest.raises(InvalidToken):
        read(f"{_base64url(_header() | header)}.{_base64url(payload)}.AAAA", NOW)


def test_keys_are_rotated_without_a_token_lost(settings: Settings) -> None:
    def use(*keys: RSAKey) -> None:
        pem = "".join(key.as_pem(private=True).decode() for key in keys)
        settings.GATEWAY = settings.GATEWAY.model_copy(update={"jwt_keys": SecretStr(pem)})

    old, new = RSAKey.generate_key(2048), STRANGER
    use(old)
    before = mint(OCTO_ADMIN, "a session", NOW)
    use(new, old)
    after = mint(OCTO_ADMIN, "a session", NOW)
    assert read(before, NOW).username == read(after, NOW).username == "octoAdmin"
    use(new)
    read(after, NOW)
    with pytest.raises(InvalidToken):
        read(before, NOW)
