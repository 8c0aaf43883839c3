"""The keys that sign access tokens."""

import pytest
from joserfc.jwk import ECKey, RSAKey

from gateway.identity.signing_keys import read_signing_keys

FIRST = RSAKey.generate_key(2048)
SECOND = RSAKey.generate_key(2048)


def _pem(key: RSAKey, *, private: bool = True) -> str:
    return key.as_pem(private=private).decode()


def test_keys_stand_one_after_the_other_and_are_known_by_their_thumbprints() -> None:
    keys = read_signing_keys(_pem(FIRST) + _pem(SECOND))
    assert [key.kid for key in keys] == [FIRST.thumbprint(), SECOND.thumbprint()]


def test_a_key_that_only_verifies_may_be_public() -> None:
    keys = read_signing_keys(_pem(FIRST) + _pem(SECOND, private=False))
    assert [key.is_private for key in keys] == [True, False]


def test_published_keys_have_no_private_part() -> None:
    published = read_signing_keys(_pem(FIRST)).as_dict(private=False)["keys"][0]
    assert set(published) == {"kty", "n", "e", "use", "alg", "kid"}


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        ("", "no key"),
        ("a long password", "no key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "other than RSA"),
        (ECKey.generate_key("P-256").as_pem(private=True).decode(), "other than RSA"),
        (FIRST.as_pem(private=True, password="secret").decode(), "other than RSA"),
        (_pem(FIRST) + _pem(FIRST, private=False), "one key twice"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_and_not_shown(pem: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        read_signing_keys(pem)
    assert "AAAA" not in str(refused.value)


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="1024 bits"):
        read_signing_keys(_pem(RSAKey.generate_key(1024)))
