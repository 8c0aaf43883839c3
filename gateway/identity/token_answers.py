"""Answers that hold tokens."""

from datetime import datetime

from gateway.identity import access_tokens
from gateway.identity.models import RefreshFamily, User
from gateway.identity.refresh_tokens import refresh_token
from gateway.identity.schema import Tokens


def access_answer(
    user: User, session: str, now: datetime, not_after: datetime | None = None, *, client_id: str | None = None
) -> Tokens:
    """An access token for the user; the arguments are those of ``access_tokens.mint``."""
    token = access_tokens.mint(user, session, now, not_after, client_id=client_id)
    expires_in = access_tokens.read(token, now).expires_at - int(now.timestamp())
    return Tokens(access_token=token, token_type="Bearer", expires_in=expires_in)


def log_in_answer(family: RefreshFamily, now: datetime) -> Tokens:
    """An access token of a log-in, and the refresh token that renews it, unless its client may not use one."""
    tokens = access_answer(family.user, family.pk.hex, now, family.expires_at, client_id=family.client_id)
    if family.client is None or "refresh_token" in family.client.grants:
        tokens["refresh_token"] = refresh_token(family)
        tokens["refresh_expires_in"] = int((family.expires_at - now).total_seconds())
    return tokens
