"""ID tokens of providers as bearer tokens, where a provider's setting has ``bearer``.

The header has ``alg``, ``kid`` and ``typ`` alone, the issuer is looked up as a key of the table, and no request waits
for a key: an unknown ``kid`` begins a fetch in the background, at most one in 30 seconds for an issuer.

Why no access tokens: those of Google and many others are opaque, or say nothing of whom they are for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.conf import settings
from joserfc import jwt
from joserfc.errors import ExpiredTokenError
from rest_framework.exceptions import AuthenticationFailed

from gateway.http.problems import Code
from gateway.identity.providers.id_tokens import (
    MALFORMED,
    MAX_CHARACTERS,
    check_claims,
    invalid,
    read_header,
    read_part,
)
from gateway.identity.providers.key_sets import known
from gateway.identity.providers.settings import Provider, read_providers

MAX_LIFE_SECONDS = 24 * 3600
_HEADER = frozenset(("alg", "kid", "typ"))
_TYPES = ("JWT", None)
"""An ID token's type: other tokens of a provider, such as those of a log-out, have others."""


@dataclass(frozen=True, slots=True)
class ProviderToken:
    """Claims of an ID token that a caller has shown.

    Attributes:
        provider: the provider's name.
        issuer: the provider's issuer identifier.
        client_id: our id there, which the token is for.
        subject: the account there.
        issued_at: in seconds since 1970.
        expires_at: in seconds since 1970.
    """

    provider: str
    issuer: str
    client_id: str
    subject: str
    issued_at: int
    expires_at: int


def read_bearer(text: str, now: datetime) -> ProviderToken | None:
    """Check an ID token that a caller shows.

    Args:
        text: the token.
        now: the time.

    Returns:
        None if it names no issuer whose tokens are taken.

    Raises:
        AuthenticationFailed: it is not valid; its code is ``token_expired`` where a new one is all it takes.
        Unavailable: the provider's keys have not been had yet.
    """
    issuers = bearer_providers()
    if not issuers or len(text) > MAX_CHARACTERS or text.count(".") != 2:
        return None
    claimed = read_part(text.split(".")[1])
    issuer = None if claimed is None else claimed.get("iss")
    provider = issuers.get(issuer) if isinstance(issuer, str) else None
    if provider is None:
        return None
    header = read_header(text)
    kid = header.get("kid")
    if header.get("alg") != provider.algorithm or not _HEADER.issuperset(header) or header.get("typ") not in _TYPES:
        raise invalid("header")
    keys = known(provider, kid) if kid else ()
    if len(keys) != 1:
        raise invalid("key")
    try:
        claims = jwt.decode(text, keys[0], [provider.algorithm]).claims
        check_claims(claims, header, provider, {}, now)
    except ExpiredTokenError:
        raise AuthenticationFailed(
            "The provider's ID token has expired; get a new one from the provider.", Code.TOKEN_EXPIRED
        ) from None
    except MALFORMED as error:
        raise invalid(getattr(error, "error", "claims")) from None
    if not 0 < claims["exp"] - claims["iat"] <= MAX_LIFE_SECONDS:
        raise invalid("lifetime")
    return ProviderToken(
        provider.name, provider.issuer, provider.client_id, claims["sub"], int(claims["iat"]), int(claims["exp"])
    )


def bearer_providers() -> Mapping[str, Provider]:
    """The providers whose ID tokens are taken as bearer tokens, by their issuers."""
    return _by_issuer(settings.GATEWAY.providers.get_secret_value())


@cache
def _by_issuer(table: str) -> Mapping[str, Provider]:
    return {provider.issuer: provider for provider in read_providers(table).values() if provider.bearer}
