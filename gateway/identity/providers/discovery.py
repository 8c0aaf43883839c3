"""Metadata of identity providers (OpenID Connect Discovery 1.0, section 4), kept for an hour."""

import math
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from gateway.identity.providers.connections import ask_object, unavailable
from gateway.identity.providers.per_provider import PerProvider
from gateway.identity.providers.settings import Provider, is_endpoint

LIFE_SECONDS = 3600.0
_PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Metadata of a provider, as far as a log-in needs it.

    Attributes:
        authorization_endpoint: where browsers are sent to.
        token_endpoint: where codes are exchanged.
        jwks_uri: where its keys are.
        userinfo_endpoint: where claims are that the ID token lacks, if it has one.
        promises_iss: whether its answers name it (RFC 9207).
        auth_method: how we show the secret.
    """

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    promises_iss: bool
    auth_method: str


@dataclass(slots=True)
class _Kept:
    """The metadata of a provider, and until when they hold, by the monotonic clock."""

    metadata: Metadata | None = None
    until: float = -math.inf


_kept = PerProvider(lambda _: _Kept())


def discover(provider: Provider) -> Metadata:
    """The metadata of a provider.

    Raises:
        Unavailable: it cannot be had, names another issuer, or an endpoint that may not be called.
    """
    kept = _kept(provider)
    if kept.metadata is None or kept.until <= time.monotonic():
        kept.metadata = _read(provider, ask_object(provider, provider.issuer.rstrip("/") + _PATH))
        kept.until = time.monotonic() + LIFE_SECONDS
    return kept.metadata


def _read(provider: Provider, found: dict[str, Any]) -> Metadata:
    if found.get("issuer") != provider.issuer:
        raise unavailable(provider, "names another issuer in its metadata than GATEWAY_PROVIDERS does")
    methods = found.get("token_endpoint_auth_methods_supported")
    only_by_post = (
        isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
    )
    return Metadata(
        authorization_endpoint=_endpoint(provider, found, "authorization_endpoint"),
        token_endpoint=_endpoint(provider, found, "token_endpoint"),
        jwks_uri=_endpoint(provider, found, "jwks_uri"),
        userinfo_endpoint=_endpoint(provider, found, "userinfo_endpoint") if "userinfo_endpoint" in found else None,
        promises_iss=found.get("authorization_response_iss_parameter_supported") is True,
        auth_method="client_secret_post" if only_by_post else "client_secret_basic",
    )


def _endpoint(provider: Provider, found: dict[str, Any], name: str) -> str:
    url = found.get(name)
    if not isinstance(url, str) or not is_endpoint(url, allow_loopback=settings.GATEWAY.loopback_providers):
        raise unavailable(provider, f"has no {name} on https in its metadata")
    return url
