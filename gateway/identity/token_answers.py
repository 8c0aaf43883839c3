"""Answers that hold tokens, or say whom they are for."""

from datetime import datetime

from django.conf import settings

from gateway.identity import access_tokens
from gateway.identity.authorization import searchable_indices
from gateway.identity.models import RefreshFamily, Role, User
from gateway.identity.refresh_tokens import refresh_token
from gateway.identity.schema import Me, Tokens


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


def describe_caller(user: User) -> Me:
    """The caller, as they may know themselves."""
    answer = Me(
        username=user.get_username(),
        role=Role(user.role),
        indices=list(searchable_indices(user)),
        writable_types=user.writable_types,
    )
    if settings.GATEWAY.live_url is not None:
        answer["live_url"] = settings.GATEWAY.live_url
    return answer
