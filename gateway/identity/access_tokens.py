"""Access tokens: short-lived JSON Web Tokens (RFC 7519, in the profile of RFC 9068), signed with RS256.

Nothing in a token's header chooses how it is checked. The encoded header must equal one that our own keys make, byte
for byte, or the token is refused. So ``alg`` is always RS256, ``kid`` one of our keys, and there is no ``jku``,
``x5u``, ``jwk`` or ``crit``.

Why: a header is read before its signature can be checked, which is where algorithm confusion, foreign keys and parser
faults come in. A generated test found the library raising ``TypeError`` for ``"crit": null``. Allowing RS256 alone and
leaving the rest to the library would be as good as the library.

Where ``GATEWAY_JWE_KEYS`` has keys, tokens are encrypted too; those that are signed alone stay valid.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import orjson
from django.conf import settings
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import Key, KeySet

from gateway.identity.models import User
from gateway.identity.signing_keys import read_signing_keys
from gateway.identity.token_encryption import decrypt, encrypt

_ALGORITHMS = ["RS256"]
_TYPE = "at+jwt"
_LEEWAY_SECONDS = 5
"""Difference that the clocks of two gateways may have."""

MAX_CHARACTERS = 4096
"""Ours have some 900, with the longest user name 2,500; encrypted a third more."""


_FOREIGN = "The token is not an access token of this gateway."


class InvalidToken(Exception):
    """Invalid access token; the message says why and may be shown to its bearer."""


class ForeignToken(InvalidToken):
    """Token with a header that none of our keys makes, so it may be a provider's."""


class ExpiredToken(InvalidToken):
    """Expired access token."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """Claims of a valid token.

    ``token_id`` names this token (``jti``), ``session`` what it was issued for (``sid``): a refresh family or an API
    key. The token can be denied by either. ``client_id`` names the OAuth client that it was issued to, if any.
    """

    username: str
    token_id: str
    session: str
    issued_at: int
    expires_at: int
    client_id: str | None = None


class _Claims(jwt.JWTClaimsRegistry):
    def validate_sid(self, value: object) -> None:
        """Take text alone, as the library does for ``jti``."""
        self.validate_jti(value)

    def validate_client_id(self, value: object) -> None:
        """Take text alone, as the library does for ``jti``."""
        self.validate_jti(value)


def mint(  # pylint: disable=too-many-arguments  # a token has as many
    user: User,
    session: str,
    now: datetime,
    not_after: datetime | None = None,
    *,
    seconds: int | None = None,
    client_id: str | None = None,
) -> str:
    """Make an access token that names the user.

    Args:
        user: whom it names.
        session: the id of the refresh family or API key that it is issued for.
        now: when it begins.
        not_after: when it ends at the latest, if that is before its time is over.
        client_id: the OAuth client that it is issued to, if any.
        seconds: its time, at most ``LONGEST_TOKEN_SECONDS``; ``GATEWAY_JWT_ACCESS_SECONDS`` where nothing is said.
    """
    gateway = settings.GATEWAY
    ends = now + timedelta(seconds=seconds or gateway.jwt_access_seconds)
    begins = int(now.timestamp())
    signing_key = key_set().keys[0]
    claims = {
        "iss": gateway.jwt_issuer,
        "aud": gateway.jwt_audience,
        "sub": user.get_username(),
        "iat": begins,
        "nbf": begins,
        "exp": int((ends if not_after is None else min(ends, not_after)).timestamp()),
        "jti": secrets.token_urlsafe(16),
        "sid": session,
    }
    if client_id is not None:
        claims["client_id"] = client_id
    return encrypt(jwt.encode(_header(signing_key), claims, signing_key, _ALGORITHMS, default_type=None))


def read(text: str, now: datetime) -> AccessToken:
    """Check a token's signature, type, issuer, audience and times.

    Raises:
        InvalidToken, ExpiredToken: it is not valid.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidToken(f"The token is longer than {MAX_CHARACTERS:,} characters.")
    keys = _by_header(settings.GATEWAY.jwt_keys.get_secret_value())
    key = keys.get(text.partition(".")[0])
    if key is None:
        text = decrypt(text) or ""
        key = keys.get(text.partition(".")[0])
    if key is None:
        raise ForeignToken(_FOREIGN)
    gateway = settings.GATEWAY
    registry = _Claims(
        now=int(now.timestamp()),
        leeway=_LEEWAY_SECONDS,
        iss={"essential": True, "value": gateway.jwt_issuer},
        aud={"essential": True, "value": gateway.jwt_audience},
        sub={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
        jti={"essential": True},
        sid={"essential": True},
    )
    try:
        claims = jwt.decode(text.encode("ascii"), key, _ALGORITHMS).claims
        registry.validate(claims)
    except ExpiredTokenError:
        raise ExpiredToken(
            "The token has expired; get a new one from POST /auth/token or /auth/token/refresh."
        ) from None
    except (JoseError, ValueError):
        raise InvalidToken(_FOREIGN) from None
    return AccessToken(
        username=claims["sub"],
        token_id=claims["jti"],
        session=claims["sid"],
        issued_at=int(claims["iat"]),
        expires_at=int(claims["exp"]),
        client_id=claims.get("client_id"),
    )


def key_set() -> KeySet:
    """The keys that tokens are signed and verified with."""
    return _key_set(settings.GATEWAY.jwt_keys.get_secret_value())


def _header(key: Key) -> dict[str, str | None]:
    return {"alg": _ALGORITHMS[0], "typ": _TYPE, "kid": key.kid}


@cache
def _by_header(pem: str) -> dict[str, Key]:
    """Our keys by the encoded header of the tokens that they sign."""
    return {
        base64.urlsafe_b64encode(orjson.dumps(_header(key))).rstrip(b"=").decode("ascii"): key for key in _key_set(pem)
    }


@cache
def _key_set(pem: str) -> KeySet:
    return read_signing_keys(pem)
