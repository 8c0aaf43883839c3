"""Views for callers who have proven who they are, and the proof that is not older than some minutes."""

from datetime import datetime, timedelta
from http import HTTPStatus

from rest_framework.request import Request

from gateway.audit.draft import Subject
from gateway.audit.views import AuditedView
from gateway.http.problems import Code, Problem
from gateway.identity.access_tokens import AccessToken
from gateway.identity.authentication import identification
from gateway.identity.models import RefreshFamily

FRESH_LOG_IN = timedelta(minutes=5)
"""A credential that outlives every token is made by a log-in that is no older than this."""
_FAMILY_CHARACTERS = 32
"""Of a refresh family's id in hexadecimal digits; an API key's has 16."""


class ProvenView(AuditedView):
    """View for callers who have proven who they are by a token of this gateway."""

    subject = Subject.AUTHENTICATION

    def check_permissions(self, request: Request) -> None:
        """Refuse an unsigned header and a provider's token: a credential got by one would outlive it."""
        super().check_permissions(request)
        require_proof(request)


def require_proof(request: Request) -> None:
    """Refuse what is no token of this gateway.

    Raises:
        Problem: 403.
    """
    if not isinstance(identification(request).token, AccessToken):
        raise Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, "This takes a signed token, from POST /auth/token.")


def proven_token(request: Request) -> AccessToken:
    """The token that a ``ProvenView`` has let in."""
    token = identification(request).token
    assert isinstance(token, AccessToken), "the view lets nobody in who has proven nothing"
    return token


def family_of(token: AccessToken) -> RefreshFamily | None:
    """The log-in of a token that goes on; None for a token of an API key or of an OAuth client."""
    if len(token.session) != _FAMILY_CHARACTERS:
        return None
    # A client's log-in is a family too: what its token is worth ends with it, and makes no more in the user's name.
    return RefreshFamily.objects.filter(pk=token.session, client=None, revoked_at=None).first()


def require_fresh_log_in(token: AccessToken, now: datetime) -> RefreshFamily:
    """Refuse tokens of API keys, of OAuth clients and of log-ins that are not fresh: they must bring no more.

    Returns:
        the log-in.

    Raises:
        Problem: 403.
    """
    family = family_of(token)
    if family is None or family.started_at <= now - FRESH_LOG_IN:
        minutes = int(FRESH_LOG_IN.total_seconds() // 60)
        raise Problem(
            HTTPStatus.FORBIDDEN,
            Code.FORBIDDEN,
            f"This takes a log-in within the last {minutes} minutes: send username and password "
            "to POST /auth/token, and use that access token here.",
        )
    return family
