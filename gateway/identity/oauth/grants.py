"""Grants: what a client shows, and the tokens that it gets for it (RFC 6749, section 4 and 6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.conf import settings

from gateway.http.problems import Code
from gateway.identity.account_models import OAuthClient
from gateway.identity.authorization_codes import note_family, use_code
from gateway.identity.login import log_in_with_password
from gateway.identity.models import Role, User
from gateway.identity.oauth.clients import invalid_client, require_confidential
from gateway.identity.oauth.errors import OAuthError, OAuthErrorName
from gateway.identity.oauth.forms import needed
from gateway.identity.refresh_tokens import find_family, renew, start_family
from gateway.identity.schema import Tokens
from gateway.identity.second_factor import needs_factor
from gateway.identity.token_answers import access_answer, log_in_answer

_REFRESH = "refresh_token"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for tokens; ``address`` is the client's."""

    form: Mapping[str, str]
    client: OAuthClient | None
    address: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """User of a grant, and the function that makes the tokens, in one transaction with the event."""

    user: User
    make: Callable[[], Tokens]


def enabled_grants() -> tuple[str, ...]:
    """The grants that this gateway takes."""
    grants = ("authorization_code", "client_credentials", _REFRESH)
    return (*grants, "password") if settings.GATEWAY.password_grant else grants


def check_grant(grant: str, client: OAuthClient | None) -> None:
    """Refuse a grant that is off here, or that the client has not got.

    A log-in that no client has begun can be renewed, and its code redeemed, without one.

    Raises:
        OAuthError: ``unsupported_grant_type``, ``invalid_client`` or ``unauthorized_client``.
    """
    if grant not in enabled_grants():
        raise OAuthError(OAuthErrorName.UNSUPPORTED_GRANT_TYPE, "This gateway does not take this grant.")
    if client is None:
        if grant not in ("authorization_code", _REFRESH):
            raise invalid_client("This grant takes a registered client.")
    elif grant not in client.grants:
        raise OAuthError(OAuthErrorName.UNAUTHORIZED_CLIENT, "The client has not got this grant.")


def use_grant(grant: str, asked: Asked) -> Found:
    """Take what is shown.

    Raises:
        OAuthError: ``invalid_grant``, ``invalid_request``.
        ReusedToken: a refresh token has been used before; the caller ends its log-in.
        Problem: 429, 503.
    """
    return _GRANTS[grant](asked)


def invalid_grant(detail: str) -> OAuthError:
    """The error of what is shown and not good."""
    return OAuthError(OAuthErrorName.INVALID_GRANT, detail, HTTPStatus.BAD_REQUEST, Code.UNAUTHENTICATED)


def _authorization_code(asked: Asked) -> Found:
    code, verifier = needed(asked.form, "code", "code_verifier")
    client_id = None if asked.client is None else asked.client.pk
    ticket = use_code(code, verifier, asked.form.get("redirect_uri"), client_id, asked.now)
    refused = invalid_grant("The code is unknown, used or expired, or was issued for somebody else.")
    if ticket is None:
        raise refused

    def make() -> Tokens:
        family = start_family(ticket.user, asked.now, asked.client)
        if not note_family(ticket, family):
            raise refused
        return log_in_answer(family, asked.now)

    return Found(ticket.user, make)


def _client_credentials(asked: Asked) -> Found:
    client = require_confidential(asked.client)
    user = client.user
    if user is None or not user.is_active or user.role == Role.ADMIN:
        raise invalid_grant("The client's user is inactive, an administrator, or nobody.")
    return Found(user, lambda: access_answer(user, client.pk, asked.now, client_id=client.pk))


def _password(asked: Asked) -> Found:
    username, password = needed(asked.form, "username", "password")
    user = log_in_with_password(User.normalize_username(username), password, asked.address)
    if needs_factor(user):
        raise invalid_grant("The account takes a second factor, which this grant has no room for.")
    return Found(user, lambda: log_in_answer(start_family(user, asked.now, asked.client), asked.now))


def _refresh_token(asked: Asked) -> Found:
    [token] = needed(asked.form, "refresh_token")
    found = find_family(token, asked.now)
    if found is None:
        raise invalid_grant("The refresh token is unknown, revoked or expired; log in again.")
    return Found(found[0].user, lambda: log_in_answer(renew(token, asked.now, asked.client), asked.now))


_GRANTS: Mapping[str, Callable[[Asked], Found]] = {
    "authorization_code": _authorization_code,
    "client_credentials": _client_credentials,
    "password": _password,
    _REFRESH: _refresh_token,
}
