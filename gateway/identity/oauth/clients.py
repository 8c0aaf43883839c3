"""OAuth clients: registered by administrators, and authenticated by a secret of which only the digest is kept.

A secret has 32 random bytes, as an API key has: it cannot be guessed, so failures lock nothing.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import unquote_plus

from rest_framework.request import Request

from gateway.http.problems import Code
from gateway.identity.account_models import OAuthClient
from gateway.identity.models import DeniedToken
from gateway.identity.oauth.errors import OAuthError, OAuthErrorName

_BASIC = "basic "
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="sluice", charset="UTF-8"'}


def new_secret(client: OAuthClient) -> str:
    """Give a client a secret, whose text can be had this once."""
    secret = secrets.token_urlsafe(32)
    client.digest = _digest(secret)
    return secret


def authenticate_client(request: Request, form: Mapping[str, str]) -> OAuthClient | None:
    """Find the client of a request (RFC 6749, section 2.3): by a secret in the header or in the form, or, if it is
    public, by its id alone.

    Returns:
        the client, or None where the request names none.

    Raises:
        OAuthError: ``invalid_client``, the same for unknown clients and wrong secrets; ``invalid_request``, the client
            is authenticated in two ways.
    """
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        client_id, secret = form.get("client_id"), form.get("client_secret", "")
        if client_id is None:
            return None
    else:
        client_id, secret = _read_basic(header)
        if "client_secret" in form or form.get("client_id", client_id) != client_id:
            raise OAuthError(OAuthErrorName.INVALID_REQUEST, "The client is authenticated in two ways; choose one.")
    client = OAuthClient.objects.select_related("user").filter(pk=client_id).first()
    # A public client has no digest, and shows no secret.
    shown = _digest(secret) if secret else ""
    if client is None or not hmac.compare_digest(client.digest, shown):
        raise invalid_client("The client is unknown, or its secret is wrong.")
    return client


def require_confidential(client: OAuthClient | None) -> OAuthClient:
    """Refuse a client without a secret.

    Raises:
        OAuthError: ``invalid_client``.
    """
    if client is None or not client.digest:
        raise invalid_client("This takes a client with a secret.")
    return client


def end_client(client: OAuthClient, now: datetime) -> None:
    """Delete a client, and end what was issued to it."""
    sessions = [family.pk.hex for family in client.refresh_families.all()]
    DeniedToken.objects.deny([client.pk, *sessions], now)
    client.delete()


def invalid_client(detail: str) -> OAuthError:
    """The error of a client that is not authenticated (RFC 6749, section 5.2)."""
    return OAuthError(
        OAuthErrorName.INVALID_CLIENT, detail, HTTPStatus.UNAUTHORIZED, Code.UNAUTHENTICATED, headers=_CHALLENGE
    )


def _read_basic(header: str) -> tuple[str, str]:
    """Read id and secret, each of them encoded as a form has it."""
    encoded = header[len(_BASIC) :].strip(" ") if header.lower().startswith(_BASIC) else ""
    try:
        client_id, separator, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except ValueError:
        separator = ""
    if not separator:
        raise invalid_client("Authorization has no id and secret of a client.")
    return unquote_plus(client_id), unquote_plus(secret)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
