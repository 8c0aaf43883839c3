"""OAuth 2.0 side of a log-in: the address that a browser is sent to, and the exchange of the code."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from requests import RequestException
from rest_framework.exceptions import AuthenticationFailed

from gateway.identity.providers.connections import ProviderAdapter, ask_object, unavailable
from gateway.identity.providers.discovery import Metadata, discover
from gateway.identity.providers.flows import Flow
from gateway.identity.providers.id_tokens import check_userinfo, read_id_token
from gateway.identity.providers.settings import Provider

MAX_CODE_CHARACTERS = 2048
_MALFORMED = (ValueError, TypeError, OverflowError, RecursionError)
"""Errors of a library that is given tokens in an unexpected form, such as text in the place of a number."""
_ADDRESS = frozenset(("email", "email_verified"))


def authorization_url(provider: Provider, flow: Flow) -> str:
    """The address at the provider that a log-in begins at.

    Raises:
        Unavailable: the provider's metadata cannot be had.
    """
    metadata = discover(provider)
    url, _ = _session(provider, metadata).create_authorization_url(
        metadata.authorization_endpoint, state=flow.state, code_verifier=flow.verifier, nonce=flow.nonce
    )
    return str(url)


def claims_of_code(provider: Provider, flow: Flow, code: str, now: datetime) -> dict[str, Any]:
    """Exchange a code for the claims about who has logged in.

    Raises:
        AuthenticationFailed: the provider refuses the code, or what it answers does not hold.
        Unavailable: it cannot be reached.
    """
    metadata = discover(provider)
    try:
        tokens = _session(provider, metadata).fetch_token(
            metadata.token_endpoint,
            grant_type="authorization_code",
            code=code,
            code_verifier=flow.verifier,
            allow_redirects=False,
        )
    except OAuthError:
        raise AuthenticationFailed("The provider refuses the code; log in again.") from None
    except (RequestException, *_MALFORMED):
        raise unavailable(provider, "does not answer with tokens") from None
    access_token = tokens.get("access_token")
    if not isinstance(access_token, str) or not access_token.isascii():
        raise unavailable(provider, "answers without an access token")
    claims = read_id_token(tokens.get("id_token"), provider, nonce=flow.nonce, access_token=access_token, now=now)
    return _completed(provider, metadata, claims, access_token)


def callback_url(provider: Provider) -> str:
    """The address here that the provider sends browsers back to, which is registered there."""
    return f"{settings.GATEWAY.public_url}/auth/{provider.name}/callback"


def is_of_provider(provider: Provider, answer: Mapping[str, str]) -> bool:
    """Whether an answer names the provider, where it must or does (RFC 9207, section 2.4).

    Raises:
        Unavailable: the provider's metadata cannot be had.
    """
    return answer.get("iss", None if discover(provider).promises_iss else provider.issuer) == provider.issuer


def _completed(provider: Provider, metadata: Metadata, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
    """Add what the ID token lacks, and the provider has at its userinfo endpoint."""
    wanted = set(_ADDRESS) if provider.create != "never" or provider.link else set()
    if provider.role_claim is not None:
        wanted.add(provider.role_claim)
    if metadata.userinfo_endpoint is None or wanted <= claims.keys():
        return claims
    found = ask_object(provider, metadata.userinfo_endpoint, headers={"Authorization": f"Bearer {access_token}"})
    check_userinfo(found, claims)
    # Whether an address is verified is said of the address beside it, and of none of another source.
    address = claims if _ADDRESS <= claims.keys() else found
    merged = {name: value for name, value in {**found, **claims}.items() if name not in _ADDRESS}
    return merged | {name: address[name] for name in _ADDRESS & address.keys()}


def _session(provider: Provider, metadata: Metadata) -> OAuth2Session:
    session = OAuth2Session(
        provider.client_id,
        provider.client_secret.get_secret_value(),
        token_endpoint_auth_method=metadata.auth_method,
        scope=" ".join(provider.scopes),
        redirect_uri=callback_url(provider),
        code_challenge_method="S256",
    )
    session.register_client_auth_method(("client_secret_basic", _show_secret))
    # Neither credentials of a file in somebody's home, nor an answer that is compressed.
    session.trust_env = False
    session.headers.clear()
    for scheme in ("https://", "http://"):
        session.mount(scheme, ProviderAdapter(provider))
    return session


def _show_secret(client: Any, _method: str, url: str, headers: dict[str, str], body: str) -> tuple[str, Any, str]:
    """Show id and secret in the header, each encoded (RFC 6749, section 2.3.1), as the library does not."""
    shown = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {b64encode(shown.encode()).decode()}"
    return url, headers, body
