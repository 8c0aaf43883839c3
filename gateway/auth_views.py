"""``/auth/``: tokens, API keys, and who the caller is. Every call is an event.

What a call changes is in one transaction with its event, written last: what cannot be recorded has not happened, and
can be asked for again.
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from gateway import tokens
from gateway.access import searchable_indices
from gateway.auth import identification
from gateway.auth_serializers import KeySerializer, LogInSerializer, RefreshSerializer, RevokeSerializer
from gateway.base_view import PublicView
from gateway.keys import issue_key
from gateway.login import log_in_with_key, log_in_with_password
from gateway.models import ApiKey, DeniedToken, RefreshFamily, User
from gateway.openapi.auth import (
    delete_key_schema,
    key_schema,
    key_set_schema,
    keys_schema,
    me_schema,
    refresh_schema,
    revoke_schema,
    token_schema,
)
from gateway.problems import Code, Problem, malformed
from gateway.record import QueryRecord
from gateway.recorded_view import API_KEY, NOT_KEPT, CredentialsView, RecordedView
from gateway.refresh import ReusedToken, end_family, find_family, refresh_token, renew, start_family
from gateway.serializers import checked
from gateway.trail import may_record_refusal, put_on_trail

MAX_KEYS = 20
"""API keys that a user may have."""
_FAMILY_CHARACTERS = 32
"""Of a refresh family's id in hexadecimal digits; an API key's has 16."""
FRESH_LOG_IN = timedelta(minutes=5)
"""An API key outlives every token, so it is made by a log-in that is no older than this."""


class AccessTokenView(CredentialsView):
    """Turns credentials into tokens."""

    @token_schema
    def post(self, request: Request) -> Response:
        """Get an access token, and for a password a refresh token too."""
        asked = checked(LogInSerializer, request.data)
        now, address = datetime.now(UTC), request.META["REMOTE_ADDR"]
        if "api_key" in asked:
            key = log_in_with_key(asked["api_key"], now)
            answer = _access(key.user, key.id, now, key.expires_at)
            put_on_trail(self.let_in(request, key.user, API_KEY))
        else:
            user = log_in_with_password(asked["username"], asked["password"], address)
            record = self.let_in(request, user, "password")
            with transaction.atomic():
                answer = _both(start_family(user, now), now)
                put_on_trail(record)
        return Response(answer, headers=NOT_KEPT)


class RefreshView(CredentialsView):
    """Turns a refresh token into new tokens."""

    @refresh_schema
    def post(self, request: Request) -> Response:
        """Use a refresh token up; one that is used again ends its log-in."""
        now = datetime.now(UTC)
        token = checked(RefreshSerializer, request.data)["refresh_token"]
        try:
            with transaction.atomic():
                family = renew(token, now)
                answer = _both(family, now)
                put_on_trail(self.let_in(request, family.user, "refresh-token"))
        except ReusedToken as reused:
            self.let_in(request, reused.family.user, "refresh-token")
            # Whether this can be recorded or not: the token is in two hands.
            with transaction.atomic():
                end_family(reused.family, now)
            raise
        return Response(answer, headers=NOT_KEPT)


class RevokeView(CredentialsView):
    """Ends tokens (in the spirit of RFC 7009)."""

    @revoke_schema
    def post(self, request: Request) -> Response:
        """End a refresh token's log-in, or one access token; what is no good token is none afterwards either."""
        token = checked(RevokeSerializer, request.data)["token"]
        with transaction.atomic():
            user = _revoke(token, datetime.now(UTC))
            if user is not None:
                put_on_trail(self.let_in(request, user, "token"))
            elif may_record_refusal(request.META["REMOTE_ADDR"]):
                self.record = QueryRecord.begin(request, None, authentication=True)
                put_on_trail(self.record)
        return Response({})


class MeView(RecordedView):
    """Who the caller is."""

    authentication = True

    @me_schema
    def get(self, request: Request) -> Response:
        """Tell the caller's name, role and indices."""
        record = self.begin(request)
        user = record.user
        put_on_trail(record)
        return Response({"username": user.get_username(), "role": user.role, "indices": list(searchable_indices(user))})


class _ProvenView(RecordedView):
    """A view for callers who have proven who they are."""

    authentication = True

    def check_permissions(self, request: Request) -> None:
        """Refuse an unsigned header: an API key got by it would outlive the leave to use such headers."""
        super().check_permissions(request)
        if identification(request).token is None:
            raise Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, "API keys take a signed token, from POST /auth/token.")


class KeysView(_ProvenView):
    """The caller's API keys."""

    @keys_schema
    def get(self, request: Request) -> Response:
        """List the keys that are not revoked, without their secrets."""
        record = self.begin(request)
        keys = record.user.api_keys.filter(revoked_at=None).order_by("created_at")
        put_on_trail(record)
        return Response({"keys": [_described(key) for key in keys]})

    @key_schema
    def post(self, request: Request) -> Response:
        """Make a key; its text is in this answer and nowhere else."""
        record = self.begin(request)
        asked = checked(KeySerializer, request.data)
        now = datetime.now(UTC)
        _require_fresh_log_in(identification(request).token, now)
        days = asked["expires_in_days"]
        alive = Q(expires_at=None) | Q(expires_at__gt=now)
        record.status = HTTPStatus.CREATED
        with transaction.atomic():
            record.user.lock()
            if record.user.api_keys.filter(alive, revoked_at=None).count() >= MAX_KEYS:
                raise malformed(f"You have {MAX_KEYS} API keys, which is as many as there may be; delete one.")
            key, text = issue_key(record.user, asked["name"], None if days is None else now + timedelta(days=days))
            put_on_trail(record)
        return Response(_described(key) | {"api_key": text}, status=record.status, headers=NOT_KEPT)


class KeyView(_ProvenView):
    """One of the caller's API keys."""

    @delete_key_schema
    def delete(self, request: Request, key_id: str) -> Response:
        """Revoke it, and the access tokens that it was exchanged for; what is not there is gone already."""
        record = self.begin(request)
        now = datetime.now(UTC)
        record.status = HTTPStatus.NO_CONTENT
        with transaction.atomic():
            if record.user.api_keys.filter(id=key_id, revoked_at=None).update(revoked_at=now):
                DeniedToken.objects.deny([key_id], now)
            put_on_trail(record)
        return Response(status=record.status)


class KeySetView(PublicView):
    """The public keys, for others to check our access tokens by."""

    @key_set_schema
    def get(self, request: Request) -> Response:
        """Publish the JSON Web Key Set (RFC 7517, section 5)."""
        del request
        return Response(tokens.key_set().as_dict(private=False), headers={"Cache-Control": "public, max-age=300"})


def _require_fresh_log_in(token: tokens.AccessToken | None, now: datetime) -> None:
    """Refuse tokens of API keys and of log-ins that are not fresh: a token in foreign hands must make no API key.

    Raises:
        Problem: 403.
    """
    # A token names the family of its log-in, which only a password begins; or its API key, which is no UUID.
    is_fresh = (
        token is not None
        and len(token.session) == _FAMILY_CHARACTERS
        and RefreshFamily.objects.filter(pk=token.session, revoked_at=None, started_at__gt=now - FRESH_LOG_IN).exists()
    )
    if not is_fresh:
        minutes = int(FRESH_LOG_IN.total_seconds() // 60)
        raise Problem(
            HTTPStatus.FORBIDDEN,
            Code.FORBIDDEN,
            f"A new API key takes a log-in by password within the last {minutes} minutes: send username and password "
            "to POST /auth/token, and use that access token here.",
        )


def _access(user: User, session: str, now: datetime, not_after: datetime | None = None) -> dict[str, Any]:
    token = tokens.mint(user, session, now, not_after)
    expires_in = tokens.read(token, now).expires_at - int(now.timestamp())
    return {"access_token": token, "token_type": "Bearer", "expires_in": expires_in}


def _both(family: RefreshFamily, now: datetime) -> dict[str, Any]:
    return _access(family.user, family.pk.hex, now, family.expires_at) | {
        "refresh_token": refresh_token(family),
        "refresh_expires_in": int((family.expires_at - now).total_seconds()),
    }


def _revoke(token: str, now: datetime) -> User | None:
    """End what the token stands for, and return whose it was."""
    found = find_family(token, now)
    if found is not None:
        end_family(found[0], now)
        return found[0].user
    try:
        access = tokens.read(token, now)
    except tokens.InvalidToken:
        return None
    DeniedToken.objects.deny([access.token_id], now)
    return User.objects.filter(username=access.username).first()


def _described(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }
