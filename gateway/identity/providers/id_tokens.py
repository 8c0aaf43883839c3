"""ID tokens (OpenID Connect Core 1.0, section 3.1.3.7), and claims of the userinfo endpoint.

The algorithm is the setting's, the key is one of the provider's set: nothing in the header chooses how a token is
checked, or has anything fetched.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from rest_framework.exceptions import AuthenticationFailed

from gateway.identity.providers.key_sets import candidates
from gateway.identity.providers.settings import Provider

MAX_CHARACTERS = 16 * 1024
MAX_HEADER_CHARACTERS = 1024
LEEWAY_SECONDS = 30
MAX_SUBJECT_CHARACTERS = 255
_HEADER = frozenset(("alg", "kid", "typ", "x5t", "x5t#S256"))
"""Members of a header that change nothing of how the token is checked."""


def read_id_token(
    text: object, provider: Provider, *, nonce: str, access_token: object, now: datetime
) -> dict[str, Any]:
    """Check an ID token of the code flow.

    Args:
        text: the token.
        provider: who must have issued it, to us.
        nonce: of the log-in.
        access_token: that came with it.
        now: the time.

    Returns:
        its claims.

    Raises:
        AuthenticationFailed: it is not valid.
        Unavailable: the provider's keys cannot be had.
    """
    if not isinstance(text, str) or not text.isascii() or len(text) > MAX_CHARACTERS:
        raise _invalid("size")
    header = _read_header(text)
    if header.get("alg") != provider.algorithm or not _HEADER.issuperset(header):
        raise _invalid("header")
    keys = candidates(provider, header.get("kid"))
    if len(keys) != 1:
        raise _invalid("key")
    try:
        claims = jwt.decode(text, keys[0], [provider.algorithm]).claims
        _check(claims, header, provider, {"nonce": nonce, "access_token": access_token}, now)
    except (JoseError, ValueError, TypeError) as error:
        raise _invalid(getattr(error, "error", "claims")) from None
    return claims


def check_userinfo(found: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Refuse claims about somebody else (OpenID Connect Core 1.0, section 5.3.2).

    Raises:
        AuthenticationFailed: the subject is another one.
    """
    if found.get("sub") != claims["sub"]:
        raise _invalid("subject of userinfo")


def _read_header(text: str) -> dict[str, Any]:
    encoded = text.partition(".")[0]
    if len(encoded) > MAX_HEADER_CHARACTERS:
        raise _invalid("header")
    try:
        header = orjson.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except ValueError:
        header = None
    if not isinstance(header, dict) or not isinstance(header.get("kid", ""), str):
        raise _invalid("header")
    return header


def _check(
    claims: dict[str, Any], header: dict[str, Any], provider: Provider, params: dict[str, Any], now: datetime
) -> None:
    audience = claims.get("aud")
    if provider.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise _invalid("aud")
    subject = claims.get("sub")
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS
        or not (subject.isascii() and subject.isprintable())
    ):
        raise _invalid("sub")
    if not isinstance(claims.get("at_hash", ""), str):
        raise _invalid("at_hash")
    # The library compares at_hash only where there is an access token, which the code flow always has.
    options = {"iss": {"essential": True, "value": provider.issuer}, "nonce": {"essential": True}}
    token = CodeIDToken(claims, header, options, {"client_id": provider.client_id, **params})
    token.validate(int(now.timestamp()), LEEWAY_SECONDS)


def _invalid(what: str) -> AuthenticationFailed:
    return AuthenticationFailed(f"The provider's ID token is invalid ({what}); log in again.")
