"""``/auth/``: tokens, API keys, and who the caller is. Every call is an event.

What a call changes is in one transaction with its event, written last: what cannot be recorded has not happened, and
can be asked for again.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.commands import written
from gateway.audit.draft import Subject
from gateway.audit.recording import record_event
from gateway.audit.views import API_KEY, NOT_KEPT, AuditedView, CredentialsView
from gateway.http.fields import checked
from gateway.http.openapi import KNOWN, asked, operation
from gateway.http.problems import malformed
from gateway.http.views import PublicView
from gateway.identity import access_tokens
from gateway.identity.access_tokens import AccessToken
from gateway.identity.api_keys import issue_key
from gateway.identity.authentication import caller, identification
from gateway.identity.login import log_in_with_key, log_in_with_password, name_of_address, name_of_typed
from gateway.identity.models import ApiKey, DeniedToken
from gateway.identity.proof import ProvenView, proven_token, require_fresh_log_in
from gateway.identity.providers.bearer_tokens import ProviderToken
from gateway.identity.refresh_tokens import ReusedToken, end_family, renew, start_family
from gateway.identity.revocation import end_token, read_token
from gateway.identity.schema import ApiKeyAnswer, ApiKeys, Claims, KeySet, Me, NewApiKey, Revoked, Tokens
from gateway.identity.second_factor import check_code, client_of, require_factor, use_factor_ticket
from gateway.identity.serializers import KeySerializer, LogInSerializer, RefreshSerializer, RevokeSerializer
from gateway.identity.token_answers import access_answer, describe_caller, log_in_answer

_operation = partial(operation, group="Log in")
_key_operation = partial(operation, group="API keys", problems=(*KNOWN, 403))
_CREDENTIALS = (
    asked("a password and a mail address", {"email": "ayse@example.com", "password": "…"}),
    asked("a password", {"username": "octoAdmin", "password": "…"}),
    asked("an API key", {"api_key": "sluice_5f3c9a0b7d2e4f61_…"}),
)

MAX_KEYS = 20
"""API keys that a user may have."""


class AccessTokenView(CredentialsView):
    """Turns credentials into tokens."""

    @_operation("token", Tokens, LogInSerializer, examples=_CREDENTIALS)
    def post(self, request: Request) -> Response:
        """Log in by password or API key.

        A password brings a refresh token too. For an account with a second factor it brings 401 `factor_required`,
        whose `ticket` goes here with a `code`.
        """
        shown = checked(LogInSerializer, request.data)
        now, address = datetime.now(UTC), request.META["REMOTE_ADDR"]
        if "api_key" in shown:
            key = log_in_with_key(shown["api_key"], now)
            answer = access_answer(key.user, key.id, now, key.expires_at)
            record_event(self.let_in(request, key.user.username, API_KEY))
        elif "ticket" in shown:
            ticket = use_factor_ticket(shown["ticket"], now, shown.get("code_verifier"))
            draft = self.let_in(request, ticket.user.username, f"{ticket.data['first']}-and-code")
            with transaction.atomic():
                check_code(ticket.user, shown["code"], now)
                answer = log_in_answer(start_family(ticket.user, now, client_of(ticket)), now)
                ticket.delete()
                record_event(draft)
        else:
            typed = shown["username"] if "username" in shown else shown["email"]
            name = name_of_typed(typed) if "username" in shown else name_of_address(typed)
            user = log_in_with_password(name, shown["password"], address, typed)
            draft = self.let_in(request, user.username, "password")
            require_factor(user, now)
            with transaction.atomic():
                answer = log_in_answer(start_family(user, now), now)
                record_event(draft)
        return Response(answer, headers=NOT_KEPT)


class LogInView(AccessTokenView):
    """The same under its other path."""

    @_operation("log_in", Tokens, LogInSerializer, examples=_CREDENTIALS)
    def post(self, request: Request) -> Response:
        """Log in by name or mail address.

        The same as `POST /auth/token`.
        """
        return super().post(request)


class VerifyView(AuditedView):
    """Check a token."""

    subject = Subject.AUTHENTICATION

    @_operation("verify_token", Claims)
    def get(self, request: Request) -> Response:
        """Check your token.

        Its claims, or 401. An identity provider's token has no `jti` and `sid` here.
        """
        draft = self.begin(request)
        token = identification(request).token
        if isinstance(token, ProviderToken):
            claims = Claims(
                iss=token.issuer, aud=token.client_id, sub=token.subject, iat=token.issued_at, exp=token.expires_at
            )
        else:
            if not isinstance(token, AccessToken):
                raise AuthenticationFailed("This header has no signed token, so there is nothing to verify.")
            claims = Claims(
                iss=settings.GATEWAY.jwt_issuer,
                aud=settings.GATEWAY.jwt_audience,
                sub=token.username,
                iat=token.issued_at,
                exp=token.expires_at,
                jti=token.token_id,
                sid=token.session,
            )
        record_event(draft)
        return Response(claims, headers=NOT_KEPT)


class RefreshView(CredentialsView):
    """Turns a refresh token into new tokens."""

    @_operation("refresh_token", Tokens, RefreshSerializer)
    def post(self, request: Request) -> Response:
        """Renew a log-in.

        The refresh token is used up. Used again within ten seconds, while its successor is unused, it brings the same
        successor; later it ends its log-in.
        """
        now = datetime.now(UTC)
        token = checked(RefreshSerializer, request.data)["refresh_token"]
        try:
            with transaction.atomic():
                family = renew(token, now)
                answer = log_in_answer(family, now)
                record_event(self.let_in(request, family.user.username, "refresh-token"))
        except ReusedToken as reused:
            self.let_in(request, reused.family.user.username, "refresh-token")
            # Whether this can be recorded or not: the token is in two hands.
            with transaction.atomic():
                end_family(reused.family, now)
            raise
        return Response(answer, headers=NOT_KEPT)


class RevokeView(CredentialsView):
    """Ends tokens (in the spirit of RFC 7009)."""

    @_operation("revoke_token", Revoked, RevokeSerializer, problems=(429, 503))
    def post(self, request: Request) -> Response:
        """Log out, or end one access token.

        An invalid token is accepted and ignored (RFC 7009, section 2.2).
        """
        token = checked(RevokeSerializer, request.data)["token"]
        with transaction.atomic():
            now = datetime.now(UTC)
            found = read_token(token, now)
            user = None if found is None else end_token(found, now)
            if user is not None:
                record_event(self.let_in(request, user.username, "token"))
            else:
                self.record_unknown(request)
        return Response({})


class MeView(AuditedView):
    """Describe the caller."""

    subject = Subject.AUTHENTICATION

    @_operation("me", Me)
    def get(self, request: Request) -> Response:
        """Show your name, role, indices and writable types."""
        draft = self.begin(request)
        user = caller(request)
        record_event(draft)
        return Response(describe_caller(user))


class KeysView(ProvenView):
    """The caller's API keys."""

    @_key_operation("api_keys", ApiKeys)
    def get(self, request: Request) -> Response:
        """List your API keys.

        Those that are not revoked, without their secrets.
        """
        draft = self.begin(request)
        keys = caller(request).api_keys.filter(revoked_at=None).order_by("created_at")
        record_event(draft)
        return Response(ApiKeys(keys=[_described(key) for key in keys]))

    @_key_operation("make_api_key", NewApiKey, KeySerializer, status=201)
    def post(self, request: Request) -> Response:
        """Make an API key.

        Its text is in this answer and nowhere else.
        """
        draft = self.begin(request)
        wanted = checked(KeySerializer, request.data)
        now = datetime.now(UTC)
        require_fresh_log_in(proven_token(request), now)
        days = wanted["expires_in_days"]
        alive = Q(expires_at=None) | Q(expires_at__gt=now)
        draft.status = HTTPStatus.CREATED
        with transaction.atomic():
            caller(request).lock()
            if caller(request).api_keys.filter(alive, revoked_at=None).count() >= MAX_KEYS:
                raise malformed(f"You have {MAX_KEYS} API keys, which is as many as there may be; delete one.")
            key, text = issue_key(caller(request), wanted["name"], None if days is None else now + timedelta(days=days))
            draft.query = f"make API key {written(key.id)}"
            record_event(draft)
        return Response(NewApiKey(**_described(key), api_key=text), status=draft.status, headers=NOT_KEPT)


class KeyView(ProvenView):
    """One of the caller's API keys."""

    @_key_operation(
        "revoke_api_key",
        None,
        also={204: OpenApiResponse(description="The key is invalid now.")},
        parameters=[OpenApiParameter("key_id", str, OpenApiParameter.PATH, description="The key's id.")],
    )
    def delete(self, request: Request, key_id: str) -> Response:
        """Revoke an API key.

        The access tokens that it was exchanged for end too. An unknown key is gone already.
        """
        draft = self.begin(request)
        now = datetime.now(UTC)
        draft.status, draft.query = HTTPStatus.NO_CONTENT, f"revoke API key {written(key_id)}"
        with transaction.atomic():
            if caller(request).api_keys.filter(id=key_id, revoked_at=None).update(revoked_at=now):
                DeniedToken.objects.deny([key_id], now)
            record_event(draft)
        return Response(status=draft.status)


class KeySetView(PublicView):
    """The public keys, for others to check our access tokens by."""

    @_operation("key_set", KeySet, problems=(429,))
    def get(self, request: Request) -> Response:
        """Get the public keys of access tokens.

        They are a JSON Web Key Set (RFC 7517, section 5).
        """
        del request
        return Response(
            access_tokens.key_set().as_dict(private=False), headers={"Cache-Control": "public, max-age=300"}
        )


def _described(key: ApiKey) -> ApiKeyAnswer:
    return {
        "id": key.id,
        "name": key.name,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }
