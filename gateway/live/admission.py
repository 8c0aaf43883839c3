"""Admission to a socket, before the upgrade: by a ticket in the subprotocols, or by ``Authorization``.

A browser cannot set a header on a socket, so a page sends a ticket from ``POST /auth/tickets`` as a subprotocol. What
is refused is answered as a problem, and is on the audit trail as far as other refusals are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from gateway.audit.draft import EventDraft, Subject
from gateway.audit.recording import may_record_refusal, record_event, refuse, refuse_unknown
from gateway.http.client_address import client_of, neighbourhood
from gateway.http.correlation import Correlation, correlated, read_correlation
from gateway.http.environ import header_variables
from gateway.http.metrics import THROTTLED
from gateway.http.problems import Code, Problem, as_problem, malformed, problem_response, throttled
from gateway.http.rate_limits import hit
from gateway.identity.access_tokens import AccessToken
from gateway.identity.authentication import HeaderAuthentication
from gateway.identity.authorization import QUERY_LOGS
from gateway.identity.console_sessions import is_own_origin
from gateway.identity.models import User
from gateway.identity.tickets import TICKET_SCHEME, use_ticket
from gateway.live.connection import SUBPROTOCOL
from gateway.live.members import Kind, Member, may_tail

PATHS = {"/ws/notifications/": Kind.NOTIFICATIONS, "/ws/tail": Kind.TAIL}
_TICKET = "sluice.ticket."


@dataclass(frozen=True, slots=True)
class Handshake:
    """Request for a socket."""

    kind: Kind
    subprotocols: tuple[str, ...]
    request: HttpRequest
    correlation: Correlation

    @classmethod
    def read(cls, scope: Mapping[str, Any], kind: Kind) -> "Handshake":
        """Read an ASGI scope."""
        request = HttpRequest()
        request.META = {"REMOTE_ADDR": scope["client"][0], **header_variables(scope["headers"])}
        request.META["REMOTE_ADDR"] = client_of(request.META)
        return cls(kind, tuple(scope["subprotocols"]), request, read_correlation(request))

    @property
    def address(self) -> str:
        """Address or network of the client, as the rate limits count it."""
        return neighbourhood(self.request.META["REMOTE_ADDR"])

    def admit(self) -> Member:
        """Find out who asks, and let them in.

        Raises:
            Refused: they may not come in; that is on the audit trail.
        """
        with correlated(self.correlation):
            try:
                self._require_budget()
                self._require_form()
                user, scheme, tokens = self._identify()
            except Exception as error:
                draft = EventDraft.begin(self.request, None, Subject.AUTHENTICATION)
                raise Refused(refuse_unknown(draft, as_problem(_challenged(error)))) from error
            member = Member(self.kind, user.pk, user.username, scheme, tokens, self.address)
            if self.kind is Kind.TAIL and not may_tail(user):
                forbidden = Problem(
                    HTTPStatus.FORBIDDEN, Code.FORBIDDEN, "The tail of the audit trail is for auditors."
                )
                raise Refused(refuse(self.draft(member), forbidden))
            return member

    def refuse(self, member: Member, problem: Problem) -> HttpResponse:
        """Refuse a known caller, on the audit trail first."""
        with correlated(self.correlation):
            if problem.code is Code.THROTTLED:
                THROTTLED.labels("sockets").inc()
                if not may_record_refusal(self.request.META["REMOTE_ADDR"]):
                    return problem_response(problem)
            return refuse(self.draft(member), problem)

    def record_tail(self, member: Member, query: str) -> None:
        """Put on the audit trail that a tail was opened.

        Raises:
            Unavailable: the trail cannot be written.
        """
        with correlated(self.correlation):
            draft = self.draft(member)
            draft.query = query
            record_event(draft)

    def draft(self, member: Member) -> EventDraft:
        """The draft of an event about this socket."""
        draft = EventDraft.begin(self.request, None, _SUBJECTS[self.kind])
        draft.identify(member.name, member.scheme)
        if self.kind is Kind.TAIL:
            draft.index = QUERY_LOGS
        return draft

    def _require_budget(self) -> None:
        rate = settings.GATEWAY.address_rate
        seconds = hit("address", rate, self.address)
        if seconds:
            THROTTLED.labels("address").inc()
            raise throttled("Your address", rate, seconds)

    def _require_form(self) -> None:
        host, _ = split_domain_port(self.request.META.get("HTTP_HOST", ""))
        if not host or not validate_host(host, settings.ALLOWED_HOSTS):
            raise malformed("The request's host is not acceptable.")
        origin = self.request.META.get("HTTP_ORIGIN")
        if origin is not None and not is_own_origin(origin):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                Code.FORBIDDEN,
                "This is for pages of this gateway, at the address that GATEWAY_PUBLIC_URL names.",
            )
        if SUBPROTOCOL not in self.subprotocols:
            raise malformed(f"The socket's subprotocol is {SUBPROTOCOL}; send it in Sec-WebSocket-Protocol.")

    def _identify(self) -> tuple[User, str, frozenset[str]]:
        """The user, how they came in, and the identifiers by which that can be denied."""
        tickets = [each.removeprefix(_TICKET) for each in self.subprotocols if each.startswith(_TICKET)]
        if len(tickets) == 1:
            ticket = use_ticket(self.kind, tickets[0], datetime.now(UTC))
            if ticket is None:
                raise AuthenticationFailed(
                    "The ticket is unknown, used or expired; get another from POST /auth/tickets."
                )
            return ticket.user, TICKET_SCHEME, frozenset([ticket.session] if ticket.session else [])
        found = HeaderAuthentication().authenticate(Request(self.request))
        if found is None:
            raise NotAuthenticated
        user, identification = found
        token = identification.token
        own = [token.token_id, token.session] if isinstance(token, AccessToken) else []
        return user, identification.scheme, frozenset(own)


class Refused(Exception):
    """Refusal of a socket; ``response`` is the answer."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


_SUBJECTS = {Kind.NOTIFICATIONS: Subject.AUTHENTICATION, Kind.TAIL: Subject.QUERY}


def _challenged(error: Exception) -> Exception:
    """The error with the challenges of a 401, as the framework puts them there for its views."""
    if isinstance(error, AuthenticationFailed | NotAuthenticated):
        error.auth_header = HeaderAuthentication().authenticate_header(Request(HttpRequest()))  # type: ignore[union-attr]  # as the framework does
    return error
