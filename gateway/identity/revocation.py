"""Tokens of either kind, read and ended."""

from datetime import datetime

from gateway.identity import access_tokens
from gateway.identity.access_tokens import AccessToken, InvalidToken
from gateway.identity.models import DeniedToken, RefreshFamily, User
from gateway.identity.refresh_tokens import end_family, find_family


def read_token(token: str, now: datetime) -> RefreshFamily | AccessToken | None:
    """The log-in of a refresh token, whether it has been used or not; or an access token; or None."""
    found = find_family(token, now)
    if found is not None:
        return found[0]
    try:
        return access_tokens.read(token, now)
    except InvalidToken:
        return None


def end_token(found: RefreshFamily | AccessToken, now: datetime) -> User | None:
    """End a log-in, or one access token by itself; returns whose it was."""
    if isinstance(found, RefreshFamily):
        end_family(found, now)
        return found.user
    DeniedToken.objects.deny([found.token_id], now)
    return User.objects.filter(username=found.username).first()
