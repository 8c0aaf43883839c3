"""Access tokens that are encrypted: which are opened, and which are not."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr
from pytest_django import Settings

from gateway.identity.access_tokens import MAX_CHARACTERS, InvalidToken, key_set, mint, read
from gateway.identity.models import User
from gateway.identity.token_encryption import read_encryption_keys

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OCTO_ADMIN = User(username="octoAdmin")
OLD, NEW, STRANGER = (base64.b64encode(bytes([number]) * 32).decode() for number in range(3))

Use = Callable[..., None]


@pytest.fixture
def use(settings: Settings) -> Use:
    """Sets the keys."""

    def set_keys(*keys: str) -> None:
        settings.GATEWAY = settings.GATEWAY.model_copy(update={"jwe_keys": SecretStr("\n".join(keys))})

    return set_keys


def _header(**changed: Any) -> dict[str, Any]:
    [key] = read_encryption_keys(OLD)
    header = {"alg": "dir", "enc": "A256GCM", "cty": "JWT", "kid": key.kid} | changed
    return {name: value for name, value in header.items() if value is not None}


def test_a_token_is_signed_alone_without_keys() -> None:
    assert mint(OCTO_ADMIN, "a session", NOW).count(".") == 2


def test_a_token_shows_none_of_its_claims_and_says_who_comes_in(use: Use) -> None:
    use(OLD)
    token = mint(OCTO_ADMIN, "a session", NOW)
    head, encrypted_key, *_ = token.split(".")
    assert base64.urlsafe_b64decode(head + "==").startswith(b'{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"')
    assert encrypted_key == ""
    assert read(token, NOW).username == "octoAdmin"


def test_the_longest_user_name_fits(use: Use) -> None:
    use(OLD)
    text = mint(User(username="用" * 150), "0" * 36, NOW)
    assert len(text) < MAX_CHARACTERS
    assert read(text, NOW).username == "用" * 150


def test_a_token_that_was_signed_alone_stays_valid(use: Use) -> None:
    token = mint(OCTO_ADMIN, "a session", NOW)
    use(OLD)
    assert read(token, NOW).username == "octoAdmin"


def test_keys_are_rotated_without_a_token_lost(use: Use) -> None:
    use(OLD)
    before = mint(OCTO_ADMIN, "a session", NOW)
    # First every gateway learns the new key, then it becomes the one that encrypts.
    use(OLD, NEW)
    assert mint(OCTO_ADMIN, "a session", NOW).partition(".")[0] == before.partition(".")[0]
    use(NEW, OLD)
    after = mint(OCTO_ADMIN, "a session", NOW)
    assert after.partition(".")[0] != before.partition(".")[0]
    assert read(before, NOW).username == read(after, NOW).username == "octoAdmin"
    use(NEW)
    read(after, NOW)
    with pytest.raises(InvalidToken):
        read(before, NOW)


@pytest.mark.parametrize(
    "header",
    [
        _header(zip="DEF"),
        _header(cty=None),
        _header(cty="json"),
        _header(kid=None),
        _header(kid="another"),
        _header(enc="A128CBC-HS256"),
        _header(crit=["kid"]),
        dict(reversed(_header().items())),
    ],
)
def test_another_header_is_refused_though_it_was_encrypted_with_our_key(header: dict[str, Any], use: Use) -> None:
    signed = mint(OCTO_ADMIN, "a session", NOW)
    use(OLD)
    [key] = read_encryption_keys(OLD)
    read(jwe.encrypt_compact(_header(), signed, key), NOW)
    with pytest.raises(InvalidToken):
        read(jwe.encrypt_compact(header, signed, key, registry=jwe.JWERegistry(strict_check_header=False)), NOW)


def test_another_key_is_refused_though_it_says_that_it_is_ours(use: Use) -> None:
    signed = mint(OCTO_ADMIN, "a session", NOW)
    use(OLD)
    [stranger] = read_encryption_keys(STRANGER)
    with pytest.raises(InvalidToken):
        read(jwe.encrypt_compact(_header(), signed, stranger), NOW)


def test_our_public_signing_key_encrypts_nothing_for_us(use: Use) -> None:
    signed = mint(OCTO_ADMIN, "a session", NOW)
    use(OLD)
    public = RSAKey.import_key(
        {name: value for name, value in key_set().keys[0].as_dict(private=False).items() if name != "use"}
    )
    with pytest.raises(InvalidToken):
        read(jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A256GCM"}, signed, public), NOW)


@pytest.mark.parametrize("place", range(5))
def test_a_changed_part_is_refused(place: int, use: Use) -> None:
    use(OLD)
    parts = mint(OCTO_ADMIN, "a session", NOW).split(".")
    parts[place] = "AAAA" + parts[place][4:]
    with pytest.raises(InvalidToken):
        read(".".join(parts), NOW)


@pytest.mark.parametrize("inner", ["", "a.b.c", "ş", "[]", "nested twice"])
def test_what_is_inside_has_to_be_signed_by_us(inner: str, use: Use) -> None:
    use(OLD)
    [key] = read_encryption_keys(OLD)
    if inner == "nested twice":
        inner = mint(OCTO_ADMIN, "a session", NOW)
    with pytest.raises(InvalidToken):
        read(jwe.encrypt_compact(_header(), inner, key), NOW)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("long-password", "32 bytes in base64"),
        (base64.b64encode(b"x" * 16).decode(), "32 bytes in base64"),
        (base64.urlsafe_b64encode(b"\xff" * 32).decode(), "32 bytes in base64"),
        (f"{OLD}\n{OLD}", "one key twice"),
        ("\n".join(base64.b64encode(bytes([number]) * 32).decode() for number in range(11)), "more than 10"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        read_encryption_keys(text)
    assert text.split()[0] not in str(refused.value)


def test_keys_are_known_by_their_thumbprints() -> None:
    assert [key.kid for key in read_encryption_keys(f"{OLD}\n{NEW}\n")] == [
        OctKey.import_key(base64.b64decode(each)).thumbprint() for each in (OLD, NEW)
    ]
