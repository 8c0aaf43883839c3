"""``/oauth/``: tokens for programs by the standard forms, their end, and what they say. Every call is an event."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, CredentialsView
from gateway.http.openapi import JSON, PROBLEMS
from gateway.http.problems import as_problem
from gateway.identity import access_tokens
from gateway.identity.account_models import OAuthClient
from gateway.identity.authentication import user_of_token
from gateway.identity.oauth.clients import authenticate_client, require_confidential
from gateway.identity.oauth.errors import OAuthError, OAuthErrorName, name_of
from gateway.identity.oauth.forms import MEDIA_TYPE, FormParser, OneTokenForm, TokenForm, check_form
from gateway.identity.oauth.grants import Asked, check_grant, invalid_grant, use_grant
from gateway.identity.refresh_tokens import ReusedToken, end_family, find_family
from gateway.identity.revocation import end_token, read_token
from gateway.identity.schema import Introspection, OAuthErrorAnswer, Revoked, Tokens

_ERRORS = (400, 401, 405, 413, 415, 429, 500, 503)


def _operation(operation_id: str, answer: Any, form: Any) -> Callable[[Any], Any]:
    return extend_schema(
        operation_id=operation_id,
        tags=["Log in"],
        request={MEDIA_TYPE: form},
        responses={
            (200, JSON): OpenApiResponse(answer, answer.__doc__),
            **{(status, JSON): OpenApiResponse(OAuthErrorAnswer, PROBLEMS[status][1]) for status in _ERRORS},
        },
    )


class OAuthView(CredentialsView):
    """View that takes forms, and whose errors have the shape of OAuth."""

    parser_classes = (FormParser,)

    def handle_exception(self, exc: Exception) -> Any:
        """Answer with an error that is on the trail first."""
        problem = as_problem(exc)
        recorded = super().handle_exception(problem)
        shown = orjson.loads(recorded.content)
        # The trail may have failed, which is another problem then.
        is_own = isinstance(problem, OAuthError) and recorded.status_code == problem.status
        name = problem.name if is_own and isinstance(problem, OAuthError) else name_of(recorded.status_code)
        body = {"error": name, "error_description": _printable(shown["detail"])}
        headers = {key: value for key, value in recorded.items() if key != "Content-Type"} | NOT_KEPT
        return HttpResponse(orjson.dumps(body), JSON, recorded.status_code, headers=headers)


class OAuthTokenView(OAuthView):
    """Tokens for what a client shows."""

    @_operation("oauth_token", Tokens, TokenForm)
    def post(self, request: Request) -> Response:
        """Get tokens by OAuth.

        By the grants `refresh_token`, `authorization_code`, `client_credentials`, and, where `GATEWAY_PASSWORD_GRANT`
        is on, `password`.
        """
        form, now = check_form(TokenForm, request.data), datetime.now(UTC)
        client, grant = authenticate_client(request, form), form["grant_type"]
        check_grant(grant, client)
        try:
            found = use_grant(grant, Asked(form, client, request.META["REMOTE_ADDR"], now))
            draft = self.let_in(request, found.user.username, f"oauth-{grant}".replace("_", "-"))
            with transaction.atomic():
                answer = found.make()
                record_event(draft)
        except ReusedToken as reused:
            # Whether this can be recorded or not: the token is in two hands.
            with transaction.atomic():
                end_family(reused.family, now)
            raise invalid_grant(str(reused.detail)) from None
        except AuthenticationFailed as error:
            raise invalid_grant(str(error.detail)) from None
        return Response(answer, headers=NOT_KEPT)


class OAuthRevokeView(OAuthView):
    """Ends tokens (RFC 7009)."""

    @_operation("oauth_revoke", Revoked, OneTokenForm)
    def post(self, request: Request) -> Response:
        """End a token by OAuth.

        A refresh token with its log-in, an access token by itself. An unknown token is ended already; one of another
        client is refused.
        """
        form, now = check_form(OneTokenForm, request.data), datetime.now(UTC)
        client = authenticate_client(request, form)
        with transaction.atomic():
            found = read_token(form["token"], now)
            if found is not None:
                _require_own(found.client_id, client)
            user = None if found is None else end_token(found, now)
            if user is None:
                self.record_unknown(request)
            else:
                record_event(self.let_in(request, user.username, "oauth-token"))
        return Response({})


class IntrospectView(OAuthView):
    """Tells a client of its tokens (RFC 7662)."""

    @_operation("oauth_introspect", Introspection, OneTokenForm)
    def post(self, request: Request) -> Response:
        """Ask about a token by OAuth.

        For clients with a secret, about tokens that were issued to them; every other token is not active.
        """
        form, now = check_form(OneTokenForm, request.data), datetime.now(UTC)
        client = require_confidential(authenticate_client(request, form))
        # No user's name has a colon.
        draft = self.let_in(request, f"client:{client.pk}", "oauth-client")
        answer = _introspect(form["token"], client, now)
        record_event(draft)
        return Response(answer, headers=NOT_KEPT)


def _require_own(client_id: str | None, client: OAuthClient | None) -> None:
    """Refuse a token that was issued to another client (RFC 7009, section 2.1).

    Raises:
        OAuthError: ``unauthorized_client``.
    """
    if client_id != (client and client.pk):
        raise OAuthError(OAuthErrorName.UNAUTHORIZED_CLIENT, "The token was issued to another client.")


def _introspect(token: str, client: OAuthClient, now: datetime) -> Introspection:
    found = find_family(token, now)
    if found is not None:
        family, generation = found
        if family.client_id != client.pk or generation != family.generation:
            return Introspection(active=False)
        name, expires_at = family.user.username, int(family.expires_at.timestamp())
        return Introspection(active=True, client_id=client.pk, username=name, sub=name, exp=expires_at)
    try:
        access = access_tokens.read(token, now)
        user_of_token(access)
    except (access_tokens.InvalidToken, AuthenticationFailed):
        return Introspection(active=False)
    if access.client_id != client.pk:
        return Introspection(active=False)
    return Introspection(
        active=True,
        client_id=client.pk,
        username=access.username,
        sub=access.username,
        token_type="Bearer",
        iss=settings.GATEWAY.jwt_issuer,
        aud=settings.GATEWAY.jwt_audience,
        jti=access.token_id,
        iat=access.issued_at,
        exp=access.expires_at,
    )


def _printable(detail: str) -> str:
    """Write a detail in the characters that OAuth has for it."""
    plain = detail.replace('"', "'").replace("\\", "/").encode("ascii", "replace").decode()
    return "".join(max(character, " ") for character in plain)
