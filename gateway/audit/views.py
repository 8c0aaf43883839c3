"""Views whose answers are on the audit trail."""

from http import HTTPStatus
from typing import Any, ClassVar

from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from gateway.audit.draft import EventDraft, Subject
from gateway.audit.recording import may_record_refusal, record_event, refuse, refuse_unknown
from gateway.http.problems import Code, Problem, as_problem, problem_response
from gateway.http.views import View

API_KEY = "api-key"
"""Name in the audit trail of a caller who showed an API key."""
NOT_KEPT = {"Cache-Control": "no-store"}
"""The headers of an answer with a token in it (RFC 6749, section 5.1), or with data that none may read unrecorded."""


class AuditedView(View):
    """A view whose every answer to a known caller is on the audit trail before it leaves.

    So are the refusals of unknown and of throttled callers, as far as ``may_record_refusal`` lets them.
    """

    draft: EventDraft | None = None
    """Of a known caller."""
    subject: ClassVar[Subject] = Subject.QUERY
    """Subject of the events."""

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks, and begin the draft of a known caller's event: its problems are on the trail too."""
        super().perform_authentication(request)
        if request.user.is_authenticated:
            name = request.user.get_username()
            self.draft = EventDraft.begin(request, name, self.subject)

    def begin(self, request: Request) -> EventDraft:
        """The draft of the request's event."""
        del request
        assert self.draft is not None, "the view lets nobody in who is not known"
        return self.draft

    def handle_exception(self, exc: Exception) -> Any:
        """Answer with a problem that is on the trail first."""
        if isinstance(exc, NotAuthenticated | AuthenticationFailed):
            # Also of views that read credentials from the body, and have no authentication class of their own.
            [challenger] = APIView.authentication_classes
            challenge = challenger().authenticate_header(self.request)
            exc.auth_header = challenge  # type: ignore[union-attr]  # as the framework does
        problem = as_problem(exc)
        draft = self.draft
        if draft is None:
            return refuse_unknown(EventDraft.begin(self.request, None, self.subject), problem)
        if not self.is_recorded(problem) or (
            problem.code is Code.THROTTLED and not may_record_refusal(self.request.META["REMOTE_ADDR"])
        ):
            return problem_response(problem)
        return refuse(draft, problem)

    def is_recorded(self, problem: Problem) -> bool:
        """Whether this answer to a known caller is on the trail."""
        del problem
        return True


class RefusalsAuditedView(AuditedView):
    """A view that shows no data of an index: only its refusals are recorded."""

    def is_recorded(self, problem: Problem) -> bool:
        """Record refusals of callers."""
        return problem.status in (403, 405, 429)


class CredentialsView(AuditedView):
    """A view whose callers send their credentials in the body, which has to be read first."""

    authentication_classes = ()
    permission_classes = ()
    subject = Subject.AUTHENTICATION

    def let_in(self, request: Request, user_name: str, scheme: str) -> EventDraft:
        """Begin the draft of a request's event, now that the body has shown who asks."""
        draft = self.draft = EventDraft.begin(request, None, self.subject)
        draft.identify(user_name, scheme)
        return draft

    def record_unknown(self, request: Request, status: HTTPStatus = HTTPStatus.OK, done: str | None = None) -> None:
        """Record a success of a caller who stays unknown, as far as ``may_record_refusal`` lets it.

        Args:
            request: the caller's.
            status: of the answer.
            done: in words what was done, if the event says so.
        """
        if may_record_refusal(request.META["REMOTE_ADDR"]):
            self.draft = EventDraft.begin(request, None, Subject.AUTHENTICATION)
            self.draft.status, self.draft.query = status, done
            record_event(self.draft)
