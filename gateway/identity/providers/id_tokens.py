"""ID tokens (OpenID Connect Core 1.0, section 3.1.3.7), and claims of the userinfo endpoint.

The algorithm is the setting's, the key is one of the provider's set: nothing in the header chooses how a token is
checked, or has anything fetched.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode
from rest_framework.exceptions import AuthenticationFailed

from gateway.identity.providers.key_sets import candidates
from gateway.identity.providers.settings import Provider

MAX_CHARACTERS = 16 * 1024
MAX_HEADER_CHARACTERS = 1024
LEEWAY_SECONDS = 30
MAX_SUBJECT_CHARACTERS = 255
MALFORMED = (JoseError, ValueError, TypeError, RecursionError)
"""The errors of a token that is not valid."""
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
        raise invalid("size")
    header = read_header(text)
    if header.get("alg") != provider.algorithm or not _HEADER.issuperset(header):
        raise invalid("header")
    keys = candidates(provider, header.get("kid"))
    if len(keys) != 1:
        raise invalid("key")
    try:
        claims = jwt.decode(text, keys[0], [provider.algorithm]).claims
        check_claims(claims, header, provider, {"nonce": nonce, "access_token": access_token}, now)
    except MALFORMED as error:
        raise invalid(getattr(error, "error", "claims")) from None
    return claims


def check_userinfo(found: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Refuse claims about somebody else (OpenID Connect Core 1.0, section 5.3.2).

    Raises:
        AuthenticationFailed: the subject is another one.
    """
    if found.get("sub") != claims["sub"]:
        raise invalid("subject of userinfo")


def read_header(text: str) -> dict[str, Any]:
    """The header of a token, which nothing proves yet; its ``kid`` is a text if there is one.

    Raises:
        AuthenticationFailed: it is too long, or no header.
    """
    encoded = text.partition(".")[0]
    if len(encoded) > MAX_HEADER_CHARACTERS:
        raise invalid("header")
    header = read_part(encoded)
    if header is None or not isinstance(header.get("kid", ""), str):
        raise invalid("header")
    return header


def read_part(encoded: str) -> dict[str, Any] | None:
    """A part of a token, which nothing proves yet; None if it is no JSON object in base64url."""
    try:
        part = orjson.loads(urlsafe_b64decode(encoded.encode("ascii")))
    except ValueError:
        return None
    return part if isinstance(part, dict) else None


def check_claims(
    claims: dict[str, Any], header: dict[str, Any], provider: Provider, params: dict[str, Any], now: datetime
) -> None:
    """Check the claims of an ID token whose signature is right.

    Args:
        claims: the token's.
        header: the token's.
        provider: who must have issued it, to us.
        params: ``nonce`` and ``access_token``, where it comes from a log-in.
        now: the time.

    Raises:
        AuthenticationFailed, and those of MALFORMED: they are not valid.
    """
    audience = claims.get("aud")
    if provider.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise invalid("aud")
    subject = claims.get("sub")
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS
        or not (subject.isascii() and subject.isprintable())
    ):
        raise invalid("sub")
    if not isinstance(claims.get("at_hash", ""), str):
        raise invalid("at_hash")
    # The library compares nonce and at_hash only where it is given what they belong to, as for the code flow it is.
    options = {"iss": {"essential": True, "value": provider.issuer}}
    token = CodeIDToken(claims, header, options, {"client_id": provider.client_id, **params})
    token.validate(int(now.timestamp()), LEEWAY_SECONDS)


def invalid(what: str) -> AuthenticationFailed:
    """The refusal of an ID token, which says what of it is invalid."""
    return AuthenticationFailed(f"The provider's ID token is invalid ({what}); log in again.")
