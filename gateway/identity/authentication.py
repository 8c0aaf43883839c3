"""Authentication by the ``Authorization`` header, in each of its forms.

Why: the unsigned ``Octoxlabs`` header names a user and proves nothing, so it is accepted only while
``GATEWAY_UNSIGNED_TOKENS`` is on, with a warning at start-up. On by default, every copied compose file would be an open
door.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import DatabaseError, connection
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from gateway.http.problems import Code
from gateway.identity import access_tokens
from gateway.identity.account_models import Identity, Totp
from gateway.identity.models import DeniedToken, User
from gateway.identity.providers.bearer_tokens import ProviderToken, read_bearer

SCHEME = "Octoxlabs"
BEARER = "Bearer"
UNSIGNED = "octoxlabs-unsigned"
"""Name in the audit trail of a caller who was identified and not proven."""
SIGNED = {SCHEME.lower(): "octoxlabs-jwt", BEARER.lower(): "bearer-jwt"}
"""The same with a signed token, by the scheme in lower case; with one of a provider it is ``bearer-oidc-NAME``."""

# A user name has at most 150 characters, each of at most 4 bytes, and three times as many where letters come in parts
# (https://unicode.org/faq/normalization.html#12); base64 makes 4 characters of 3 bytes.
_MAX_NAME_CHARACTERS = 2400

_UNKNOWN = "The token does not name a known, active user."


@dataclass(frozen=True, slots=True)
class Identification:
    """Identification of a caller: ``scheme`` as the audit trail names it, and the signed token if there was one."""

    scheme: str
    token: access_tokens.AccessToken | ProviderToken | None = None


class HeaderAuthentication(BaseAuthentication):
    """``Authorization: Octoxlabs <token>`` and ``Authorization: Bearer <token>``.

    A token with dots in it is signed, and proves who asks: one of this gateway or, under ``Bearer``, an ID token of a
    provider whose setting says so. One without is, under ``Octoxlabs`` alone, the base64 form
    of a user name: it names a known, active user, proves nothing, and is accepted only while
    ``GATEWAY_UNSIGNED_TOKENS`` is on.
    """

    def authenticate(self, request: Request) -> tuple[User, Identification] | None:
        """Find the user that the header names.

        Returns:
            the user and how that was found, or None for a request without the header.

        Raises:
            AuthenticationFailed: the header does not name a user who may come in; says why, and nothing about who may.
                Its code is ``token_expired`` where a new token is all it takes.
        """
        header = request.META.get("HTTP_AUTHORIZATION")
        return None if header is None else _user_of(header)

    def authenticate_header(self, request: Request) -> str:
        """The challenges of a 401 answer (RFC 9110, section 11.6.1; RFC 6750, section 3)."""
        bearer = f'{BEARER} realm="sluice"'
        if request.META.get("HTTP_AUTHORIZATION", "").lower().startswith(BEARER.lower()):
            bearer += ', error="invalid_token"'
        return f'{SCHEME} realm="sluice", {bearer}'


def still_allowed(user: User, identification: Identification) -> User:
    """Look again, in a request that takes long, whether its caller may still come in.

    Args:
        user: who has been let in.
        identification: by what.

    Returns:
        the user as they are now.

    Raises:
        AuthenticationFailed: the user is not active any more, or the token has been revoked. One that has expired since
            the request began is no reason.
    """
    token = identification.token
    if isinstance(token, ProviderToken):
        return _user_of_account(token)
    if token is not None:
        return user_of_token(token)
    return _active_user(user.get_username())


def lets_in(header: str | None) -> bool:
    """Whether the header names a user who may come in; for who decides what to read of a request, not what to answer.

    Args:
        header: the text of ``Authorization``, or None if there is none.
    """
    try:
        return header is not None and _user_of(header) is not None
    except (AuthenticationFailed, DatabaseError):
        return False


def _user_of(header: str) -> tuple[User, Identification]:
    scheme, _, token = header.partition(" ")
    scheme, token = scheme.lower(), token.strip(" ")
    if scheme not in SIGNED:
        raise AuthenticationFailed(
            f'Unknown authentication scheme; send "Authorization: {BEARER} <token>" or "{SCHEME} <token>".'
        )
    if "." in token or scheme == BEARER.lower():
        return _user_of_signed(scheme, token)
    return _user_of_unsigned(token), Identification(UNSIGNED)


def _user_of_signed(scheme: str, text: str) -> tuple[User, Identification]:
    now = datetime.now(UTC)
    try:
        access = access_tokens.read(text, now)
    except access_tokens.ExpiredToken as error:
        raise AuthenticationFailed(str(error), Code.TOKEN_EXPIRED) from None
    except access_tokens.InvalidToken as error:
        may_be_foreign = isinstance(error, access_tokens.ForeignToken) and scheme == BEARER.lower()
        foreign = read_bearer(text, now) if may_be_foreign else None
        if foreign is None:
            raise AuthenticationFailed(str(error)) from None
        return _user_of_account(foreign), Identification(f"bearer-oidc-{foreign.provider}", foreign)
    return user_of_token(access), Identification(SIGNED[scheme], access)


def user_of_token(access: access_tokens.AccessToken) -> User:
    """The user of a token that has been read.

    Raises:
        AuthenticationFailed: the token was revoked, or its user is not active.
    """
    user = _find_user(_ACTIVE_USER + _UNLESS_DENIED, access.username, access.token_id, access.session)
    if user is None:
        raise AuthenticationFailed("The token has been revoked, or its user is not active any more.")
    return user


def _user_of_account(token: ProviderToken) -> User:
    """The user of a provider's account, found by issuer and subject, and by nothing else."""
    user = _find_user(_ACTIVE_USER_OF_ACCOUNT, token.issuer, token.subject)
    # A token of the provider would get round the second factor, which its log-in asks for.
    if user is None or user.role in settings.GATEWAY.factor_roles:
        raise AuthenticationFailed(
            "The provider's account is linked to no active user, or to one whose log-ins take a second factor; log in "
            "at GET /auth/{provider} instead."
        )
    return user


def _user_of_unsigned(token: str) -> User:
    if not settings.GATEWAY.unsigned_tokens:
        raise AuthenticationFailed(
            "This gateway does not accept unsigned tokens; get a signed one from POST /auth/token, with a username and "
            "password or an API key. Where that is safe, its operator can allow unsigned ones with "
            "GATEWAY_UNSIGNED_TOKENS=true."
        )
    return _active_user(decode_username(token))


def _active_user(username: str) -> User:
    user = _find_user(_ACTIVE_USER, username)
    if user is None:
        raise AuthenticationFailed(_UNKNOWN)
    return user


# Every request asks, and Django takes many times as long as the database to make this SQL, and objects of its answer.
KNOWN_FIELDS = ("id", "username", "role", "granted_indices", "is_active")
_ACTIVE_USER = f"SELECT {', '.join(KNOWN_FIELDS)} FROM {User._meta.db_table} WHERE username = %s AND is_active"
_ACTIVE_USER_OF_ACCOUNT = (
    f"SELECT {', '.join(f'u.{field}' for field in KNOWN_FIELDS)} "
    f"FROM {Identity._meta.db_table} i JOIN {User._meta.db_table} u ON u.id = i.user_id "
    "WHERE i.issuer = %s AND i.subject = %s AND u.is_active AND NOT EXISTS "
    f"(SELECT 1 FROM {Totp._meta.db_table} t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL)"
)
_UNLESS_DENIED = f" AND NOT EXISTS (SELECT 1 FROM {DeniedToken._meta.db_table} WHERE identifier IN (%s, %s))"


def _find_user(query: str, *values: str) -> User | None:
    """Find a user; what is not in ``KNOWN_FIELDS`` is fetched when it is looked at."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    if row is None:
        return None
    identifier, username, role, grants, is_active = row
    return User.from_db(
        connection.alias, KNOWN_FIELDS, (identifier, username, role, orjson.loads(grants), bool(is_active))
    )


def identification(request: Request) -> Identification:
    """Return the caller's identification."""
    assert isinstance(request.auth, Identification), "the view lets nobody in who is not known"
    return request.auth


def caller(request: Request) -> User:
    """Return the authenticated user."""
    assert isinstance(request.user, User), "the view lets nobody in who is not known"
    return request.user


def decode_username(token: str) -> str:
    """Read a user name from its base64 form (RFC 4648, section 4, with padding), normalised as names are kept.

    Raises:
        AuthenticationFailed: the token is too long, no base64, or not UTF-8 inside.
    """
    if len(token) > _MAX_NAME_CHARACTERS:
        raise AuthenticationFailed(f"The token is longer than {_MAX_NAME_CHARACTERS} characters.")
    try:
        name = base64.b64decode(token, validate=True).decode("utf-8")
    except ValueError:
        name = ""
    # Encoded again, because the decoder lets superfluous padding and bits pass.
    if not name.isprintable() or base64.b64encode(name.encode()).decode() != token:
        raise AuthenticationFailed("The token is not the base64 form of a user name.")
    return User.normalize_username(name)


class HeaderScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped hook in __init_subclass__
    """Describes the header in the OpenAPI document."""

    target_class = HeaderAuthentication
    name = ["bearer", "octoxlabs"]  # noqa: RUF012  # as the framework has it

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """The security scheme objects."""
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A signed token from `POST /auth/token`; or an ID token of an identity provider, where "
                "`bearer` in `GATEWAY_PROVIDERS` says so.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Octoxlabs <signed token>`; or, only while `GATEWAY_UNSIGNED_TOKENS` is on, "
                "`Octoxlabs <base64(username)>` of a known, active user.",
            },
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        """Either of them will do."""
        return [{name: []} for name in self.name]
