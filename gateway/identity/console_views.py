"""``/auth/session`` and ``/auth/tickets``: how the console, and sockets and downloads that send no header, come in."""

from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus

from django.db import transaction
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, CredentialsView
from gateway.http.fields import checked
from gateway.http.openapi import KNOWN, operation
from gateway.http.problems import Code, Problem
from gateway.identity.authentication import HeaderAuthentication, caller, identification
from gateway.identity.authorization import has_role
from gateway.identity.console_sessions import (
    COOKIE,
    LIFE,
    TOKEN_LIFE,
    find_session,
    require_own_origin,
    start_session,
)
from gateway.identity.models import Role
from gateway.identity.proof import ProvenView, family_of, proven_token, require_proof
from gateway.identity.refresh_tokens import end_family
from gateway.identity.schema import SessionTokens, TicketAnswer
from gateway.identity.serializers import DOWNLOAD, TAIL, SessionTokenSerializer, TicketSerializer
from gateway.identity.tickets import issue_ticket
from gateway.identity.token_answers import access_answer, describe_caller

_operation = partial(operation, group="Log in", problems=(*KNOWN, 403))
_SESSION = "console-session"
"""Name in the audit trail of a caller who showed the cookie of the console."""
TICKET_LIFE = timedelta(seconds=30)
MAX_SEARCH_BYTES = 64 * 1024
_FRESH = timedelta(minutes=5)


class SessionView(CredentialsView):
    """The console's session."""

    authentication_classes = (HeaderAuthentication,)  # type: ignore[assignment]  # the base has none

    @_operation(
        "begin_session", None, also={204: OpenApiResponse(description="The session has begun; see Set-Cookie.")}
    )
    def post(self, request: Request) -> Response:
        """Begin a session of the console.

        By an access token that is no older than five minutes. The cookie is good for `POST /auth/session/token` alone.
        """
        if not request.user.is_authenticated:
            self.permission_denied(request)
        require_proof(request)
        require_own_origin(request)
        now, token = datetime.now(UTC), proven_token(request)
        family = family_of(token)
        if family is None or token.issued_at <= (now - _FRESH).timestamp():
            raise Problem(
                HTTPStatus.FORBIDDEN,
                Code.FORBIDDEN,
                "A session takes an access token of a log-in, not of an API key or an OAuth client, that is no older "
                f"than {_FRESH // timedelta(minutes=1)} minutes.",
            )
        draft = self.let_in(request, caller(request).username, identification(request).scheme)
        draft.status = HTTPStatus.NO_CONTENT
        with transaction.atomic():
            secret = start_session(family, now)
            record_event(draft)
        response = Response(status=draft.status, headers=NOT_KEPT)
        response.set_cookie(COOKIE, secret, max_age=LIFE, path="/", secure=True, httponly=True, samesite="Strict")
        return response

    @_operation("end_session", None, also={204: OpenApiResponse(description="The session and its log-in have ended.")})
    def delete(self, request: Request) -> Response:
        """End the session of the console.

        Its log-in ends, with all its tokens. Also where there is no session, the cookie is deleted.
        """
        require_own_origin(request)
        now = datetime.now(UTC)
        session = find_session(request, now)
        if session is None:
            self.record_unknown(request, HTTPStatus.NO_CONTENT)
        else:
            draft = self.let_in(request, session.family.user.username, _SESSION)
            draft.status = HTTPStatus.NO_CONTENT
            with transaction.atomic():
                end_family(session.family, now)
                session.delete()
                record_event(draft)
        response = Response(status=HTTPStatus.NO_CONTENT)
        # As the prefix of its name demands; the framework's own way to delete one forgets it.
        response.set_cookie(COOKIE, "", max_age=0, path="/", secure=True, httponly=True, samesite="Strict")
        return response


class SessionTokenView(CredentialsView):
    """Access tokens for the console."""

    @_operation("session_token", SessionTokens, SessionTokenSerializer)
    def post(self, request: Request) -> Response:
        """Get an access token by the console's session.

        Good for five minutes. A session ends after twelve hours, two without use, or with its log-in.
        """
        require_own_origin(request)
        is_idle = checked(SessionTokenSerializer, request.data)["idle"]
        now = datetime.now(UTC)
        session = find_session(request, now)
        if session is None:
            raise AuthenticationFailed("There is no session, or it has ended; log in again.")
        family = session.family
        draft = self.let_in(request, family.user.username, _SESSION)
        with transaction.atomic():
            # An open page that nobody touches opens its socket again each hour, and would never end.
            if not is_idle:
                session.last_used_at = now
                session.save(update_fields=["last_used_at"])
            record_event(draft)
        not_after = min(session.expires_at, now + TOKEN_LIFE)
        tokens = access_answer(family.user, family.pk.hex, now, not_after)
        return Response(SessionTokens(**tokens, me=describe_caller(family.user)), headers=NOT_KEPT)


class TicketsView(ProvenView):
    """Tickets for what cannot send a header."""

    max_body_bytes = MAX_SEARCH_BYTES

    @_operation("ticket", TicketAnswer, TicketSerializer, status=HTTPStatus.CREATED)
    def post(self, request: Request) -> Response:
        """Get a ticket for a socket or a download.

        For one use within 30 seconds. The tail is for auditors.
        """
        draft = self.begin(request)
        wanted = checked(TicketSerializer, request.data)
        purpose = wanted["for"]
        if purpose == TAIL and not has_role(caller(request), Role.AUDITOR):
            raise Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, "The tail of the audit trail is for auditors.")
        data = {name: wanted[name] for name in ("search", "format")} if purpose == DOWNLOAD else {}
        draft.status = HTTPStatus.CREATED
        now, session = datetime.now(UTC), proven_token(request).session
        with transaction.atomic():
            caller(request).lock()
            ticket = issue_ticket(purpose, caller(request), now, TICKET_LIFE, session=session, data=data)
            record_event(draft)
        answer = TicketAnswer(ticket=ticket, expires_in=int(TICKET_LIFE.total_seconds()))
        return Response(answer, status=draft.status, headers=NOT_KEPT)
