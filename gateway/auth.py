"""Who is asking, and what they may search."""

import base64
from http import HTTPStatus
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from gateway.models import User
from gateway.problems import Code, Problem

SCHEME = "Octoxlabs"
UNSIGNED = "octoxlabs-unsigned"
"""How the audit trail names a caller who was identified and not proven."""

# A user name has at most 150 characters, each of at most 4 bytes; base64 makes 4 characters of 3 bytes.
_MAX_TOKEN_CHARACTERS = 800


class OctoxlabsAuthentication(BaseAuthentication):
    """``Authorization: Octoxlabs <base64(username)>``: names a known, active user, and proves nothing.

    Accepted only while ``GATEWAY_UNSIGNED_TOKENS`` is on.
    """

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        """Find the user whom the header names.

        Returns:
            the user and the scheme's name in the audit trail, or None for a request without the header.

        Raises:
            AuthenticationFailed: the header does not name a user who may come in; says why, and nothing about who may.
        """
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != SCHEME.lower():
            raise AuthenticationFailed(f'Unknown authentication scheme; send "Authorization: {SCHEME} <token>".')
        if not settings.GATEWAY.unsigned_tokens:
            raise AuthenticationFailed(
                "This gateway does not accept unsigned tokens; where that is safe, its operator can allow them with "
                "GATEWAY_UNSIGNED_TOKENS=true."
            )
        user = User.objects.filter(username=decode_username(token.strip(" ")), is_active=True).first()
        if user is None:
            raise AuthenticationFailed("The token does not name a known, active user.")
        return user, UNSIGNED

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401 answer (RFC 9110, section 11.6.1)."""
        return f'{SCHEME} realm="sluice"'


def decode_username(token: str) -> str:
    """Read a user name from its base64 form (RFC 4648, section 4, with padding).

    Raises:
        AuthenticationFailed: the token is too long, no base64, or not UTF-8 inside.
    """
    if len(token) > _MAX_TOKEN_CHARACTERS:
        raise AuthenticationFailed(f"The token is longer than {_MAX_TOKEN_CHARACTERS} characters.")
    try:
        name = base64.b64decode(token, validate=True).decode("utf-8")
    except ValueError:
        name = ""
    # Encoded again, because the decoder lets superfluous padding and bits pass.
    if not name.isprintable() or base64.b64encode(name.encode()).decode() != token:
        raise AuthenticationFailed("The token is not the base64 form of a user name.")
    return name


def require_index(index: str) -> None:
    """Let nobody past the indices that may be searched.

    Raises:
        Problem: 403, whether the index exists or not.
    """
    if index not in settings.GATEWAY.search_indices:
        raise Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, f'You may not search the index "{index}".')


class OctoxlabsScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped hook in __init_subclass__
    """Describes the header in the OpenAPI document."""

    target_class = OctoxlabsAuthentication
    name = "octoxlabs"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The security scheme object."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Octoxlabs <base64(username)>` of a known, active user; accepted only while "
            "`GATEWAY_UNSIGNED_TOKENS` is on.",
        }
