"""Refresh tokens: each renews its log-in once, and one that is used twice ends it (RFC 9700, section 4.14.2).

A token is a signed note of its family and generation, so nothing secret is kept, and a family takes one row however
often it is renewed.

A client that renews twice at once, or has lost the answer, shows the newest-but-one token: within ten seconds it gets
the same successor again. A thief has these seconds too, and is noticed still: thief and client then hold one token, and
whoever uses it second, more than ten seconds after the other, ends the log-in.
"""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from rest_framework.exceptions import AuthenticationFailed

from gateway.identity.account_models import OAuthClient
from gateway.identity.models import DeniedToken, RefreshFamily, User

MAX_CHARACTERS = 512
REPEAT_SECONDS = 10
"""After its use a token is taken again for so long, if its successor has not been used."""
_SALT = "gateway.identity.refresh_token"


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
    # Without a time, so that a token that is shown again has the same successor.
    return _signer().sign_object([family.pk.hex, family.generation])


def find_family(token: str, now: datetime) -> tuple[RefreshFamily, int] | None:
    """Find the family of a token, and the token's generation, whether it has been used or not.

    Returns:
        None if the token is unknown, or its family revoked, expired, or of a user who is inactive or has another
        password since.
    """
    try:
        identifier, generation = _signer().unsign_object(token)
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
    """Use a token up, which takes the OAuth client that it was issued to; or repeat its use a moment later.

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
        family.refresh_from_db(fields=["generation", "last_used_at", "revoked_at"])
        if not _is_repeat(family, generation, now):
            raise ReusedToken(family)
    family.generation = generation + 1
    return family


def _is_repeat(family: RefreshFamily, generation: int, now: datetime) -> bool:
    """Whether a used token is the newest but one, and was used a moment ago."""
    used_at = family.last_used_at
    return (
        family.revoked_at is None
        and family.generation == generation + 1
        and used_at is not None
        and now - used_at <= timedelta(seconds=REPEAT_SECONDS)
    )


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT)


def end_family(family: RefreshFamily, now: datetime) -> None:
    """Revoke a log-in's refresh tokens and access tokens."""
    RefreshFamily.objects.filter(pk=family.pk, revoked_at=None).update(revoked_at=now)
    DeniedToken.objects.deny([family.pk.hex], now)
