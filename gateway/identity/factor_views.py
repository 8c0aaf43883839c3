"""``/auth/totp`` and ``/auth/recovery-codes``: the caller's second factor."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from django.db import transaction
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.draft import EventDraft
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, CredentialsView
from gateway.http.fields import checked
from gateway.http.openapi import KNOWN, operation
from gateway.http.problems import malformed
from gateway.identity.account_models import Totp
from gateway.identity.authentication import HeaderAuthentication, caller, identification
from gateway.identity.models import User
from gateway.identity.proof import ProvenView, proven_token, require_fresh_log_in, require_proof
from gateway.identity.schema import Enrolment, RecoveryCodes
from gateway.identity.second_factor import confirm, enrol, has_factor, new_recovery_codes, use_factor_ticket
from gateway.identity.serializers import EnrolSerializer, FirstCodeSerializer

_operation = partial(operation, group="Log in", problems=(*KNOWN, 403))
_TICKET = "factor-ticket"
"""Name in the audit trail of a caller who showed the ticket of a log-in that lacks its second factor."""


class _EnrolmentView(CredentialsView):
    """View for who has logged in within the last minutes, or has the ticket of a log-in that needs a factor first."""

    authentication_classes = (HeaderAuthentication,)  # type: ignore[assignment]  # the base has none

    def known(self, request: Request, ticket: str | None, now: datetime) -> tuple[User, EventDraft]:
        """The user, and the draft of the event.

        Raises:
            AuthenticationFailed: neither a token nor a ticket that is good.
            Problem: 403, the log-in is not fresh.
        """
        if ticket is not None:
            user = use_factor_ticket(ticket, now).user
            if has_factor(user):
                raise malformed("You have a second factor; send the ticket and a code to POST /auth/login.")
            return user, self.let_in(request, user.username, _TICKET)
        if not request.user.is_authenticated:
            self.permission_denied(request)
        require_proof(request)
        require_fresh_log_in(proven_token(request), now)
        return caller(request), self.let_in(request, caller(request).username, identification(request).scheme)


class TotpView(_EnrolmentView):
    """The caller's second factor."""

    @_operation("enrol_factor", Enrolment, EnrolSerializer)
    def post(self, request: Request) -> Response:
        """Begin a second factor.

        Takes a log-in of the last five minutes, or the ticket of a log-in that needs a factor. It counts once it is
        confirmed.
        """
        now = datetime.now(UTC)
        user, draft = self.known(request, checked(EnrolSerializer, request.data).get("ticket"), now)
        draft.query = "begin a second factor"
        with transaction.atomic():
            totp = enrol(user)
            record_event(draft)
        return Response(Enrolment(secret=totp.secret, uri=totp.provisioning_uri()), headers=NOT_KEPT)

    @_operation("delete_factor", None, also={204: OpenApiResponse(description="There is no second factor now.")})
    def delete(self, request: Request) -> Response:
        """Delete your second factor.

        Takes a log-in of the last five minutes, which took the factor.
        """
        user, draft = self.known(request, None, datetime.now(UTC))
        draft.status, draft.query = HTTPStatus.NO_CONTENT, "delete the second factor"
        with transaction.atomic():
            Totp.objects.filter(user=user).delete()
            record_event(draft)
        return Response(status=draft.status)


class ConfirmTotpView(_EnrolmentView):
    """A first code."""

    @_operation("confirm_factor", RecoveryCodes, FirstCodeSerializer)
    def post(self, request: Request) -> Response:
        """Confirm your second factor.

        With a first code of the authenticator. From then on each log-in by password takes one.
        """
        now, shown = datetime.now(UTC), checked(FirstCodeSerializer, request.data)
        user, draft = self.known(request, shown.get("ticket"), now)
        draft.query = "confirm the second factor"
        return _codes(draft, partial(confirm, user, shown["code"], now))


class RecoveryCodesView(ProvenView):
    """The caller's recovery codes."""

    @_operation("make_recovery_codes", RecoveryCodes)
    def post(self, request: Request) -> Response:
        """Get new recovery codes.

        The old ones end. Takes a log-in of the last five minutes.
        """
        draft = self.begin(request)
        draft.query = "replace the recovery codes"
        require_fresh_log_in(proven_token(request), datetime.now(UTC))
        if not has_factor(caller(request)):
            raise malformed("You have no second factor; POST /auth/totp begins one.")
        return _codes(draft, partial(new_recovery_codes, caller(request)))


def _codes(draft: EventDraft, make: Callable[[], list[str]]) -> Response:
    with transaction.atomic():
        codes = make()
        record_event(draft)
    return Response(RecoveryCodes(recovery_codes=codes), headers=NOT_KEPT)
