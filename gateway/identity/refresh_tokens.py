"""Refresh tokens: each renews its log-in once, and one that is used twice ends it (RFC 9700, section 4.14.2).

A token is a signed note of its family and generation, so nothing secret is kept, and a family takes one row however
often it is renewed.
"""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from rest_framework.exceptions import AuthenticationFailed

from gateway.identity.account_models import OAuthClient
from gateway.identity.models import DeniedToken, RefreshFamily, User

MAX_CHARACTERS = 512
_SALT = "gateway.identity.refresh_tokens"


class ReusedToken(AuthenticationFailed):
    """A refresh token has been used before, so it is in two hands: its family is to be ended.

    Attributes:
        family: whose it is, which the token's signature has shown.
    """

    def __init__(self, family: RefreshFamily) -> None:
        super().__init__("The refresh token has been used before, so its log-in has ended; log in again.")
        self.family = family


def start_family(user: User, now: datetime, client: OAuthClient | None = None) -> RefreshFamily:
    """Begin a log-in, and delete the families that have expired.

    Raises:
        AuthenticationFailed: the password has been changed, or the user deactivated, since it was checked.
    """
    unchanged = User.objects.select_for_update(no_key=True).filter(password=user.password, is_active=True)
    if unchanged.filter(pk=user.pk).first() is None:
        raise AuthenticationFailed("The password has just been changed; log in again.")
    RefreshFamily.objects.delete_expired(now)
    return RefreshFamily.objects.create(
        user=user,
        client=client,
        password_mark=user.get_session_auth_hash(),
        started_at=now,
        expires_at=now + timedelta(seconds=settings.GATEWAY.jwt_refresh_seconds),
    )


def refresh_token(family: RefreshFamily) -> str:
    """Write the family's newest token."""
    return signing.dumps([family.pk.hex, family.generation], salt=_SALT)


def find_family(token: str, now: datetime) -> tuple[RefreshFamily, int] | None:
    """Find the family of a token, and the token's generation, whether it has been used or not.

    Returns:
        None if the token is none of ours, or its family revoked, expired, or of a user who is inactive or has another
        password since.
    """
    try:
        identifier, generation = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    family = (
        RefreshFamily.objects.select_related("user")
        .filter(pk=uuid.UUID(identifier), revoked_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if family is None or family.password_mark != family.user.get_session_auth_hash():
        return None
    return family, generation


def renew(token: str, now: datetime, client: OAuthClient | None = None) -> RefreshFamily:
    """Use a token up, which takes the OAuth client that it was issued to.

    Returns:
        the family, whose ``refresh_token`` is a new one.

    Raises:
        AuthenticationFailed: the token is not good.
        ReusedToken: it has been used before; the caller ends the family, outside of any transaction that this undoes.
    """
    found = find_family(token, now)
    if found is None or found[0].client_id != (client and client.pk):
        raise AuthenticationFailed("The refresh token is unknown, revoked or expired; log in again.")
    family, generation = found
    # One statement, so that of two requests with one token only one can succeed.
    unused = RefreshFamily.objects.filter(pk=family.pk, generation=generation, revoked_at=None)
    if not unused.update(generation=generation + 1, last_used_at=now):
        raise ReusedToken(family)
    family.generation = generation + 1
    return family


def end_family(family: RefreshFamily, now: datetime) -> None:
    """Revoke a log-in's refresh tokens and access tokens."""
    RefreshFamily.objects.filter(pk=family.pk, revoked_at=None).update(revoked_at=now)
    DeniedToken.objects.deny([family.pk.hex], now)
