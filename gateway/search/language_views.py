"""``GET /fields``, ``POST /complete`` and ``POST /translate``: the query language, without a search."""

from functools import partial
from http import HTTPStatus

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.recording import record_event
from gateway.audit.views import RefusalsAuditedView
from gateway.http.fields import checked
from gateway.http.openapi import INDEX, KNOWN, REJECTION, answered, asked, operation
from gateway.http.problems import Problem, malformed, problem_object
from gateway.http.query_string import read_parameters
from gateway.http.user_throttle import TypingThrottle
from gateway.identity.authentication import caller
from gateway.identity.authorization import require_index, wanted_index
from gateway.search import translator_client
from gateway.search.schema import Completion, FieldList, Translation
from gateway.search.serializers import CompleteSerializer, FieldsSerializer, TranslateSerializer

_operation = partial(operation, group="Query language", problems=(400, *KNOWN, *INDEX))


class FieldsView(RefusalsAuditedView):
    """The fields of an index."""

    @_operation("fields", FieldList, parameters=[FieldsSerializer])
    def get(self, request: Request) -> Response:
        """List the fields of an index that a query can name."""
        user = caller(request)
        index = wanted_index(user, checked(FieldsSerializer, read_parameters(request)).get("index"))
        require_index(user, index)
        return Response(translator_client.fields(index))


class TranslateView(RefusalsAuditedView):
    """Translation of a query."""

    throttle_classes = (TypingThrottle,)
    max_body_bytes = settings.MAX_BODY_BYTES

    @_operation(
        "translate",
        Translation,
        TranslateSerializer,
        examples=(
            asked("hosts by name", {"query": "Hostname = octoxlabs*"}),
            answered(
                "a prefix",
                {
                    "query": {"prefix": {"Hostname": "octoxlabs"}},
                    "fields": ["Hostname"],
                    "canonical": "Hostname = octoxlabs*",
                    "notices": [],
                },
            ),
            answered("unknown field", REJECTION, 400),
        ),
    )
    def post(self, request: Request) -> Response:
        """Translate a query.

        Nothing is run.
        """
        user, wanted = caller(request), checked(TranslateSerializer, request.data)
        index = wanted_index(user, wanted.get("index"))
        require_index(user, index)
        translation = translator_client.translate(wanted["query"], index, case_insensitive=wanted["case_insensitive"])
        answer: Translation = {
            "query": translation["query"],
            "fields": translation["names"],
            "canonical": translation["canonical"],
            "notices": translation["notices"],
        }
        return Response(answer)


class CompleteView(RefusalsAuditedView):
    """Completion of a query at the cursor.

    Values from the index are data as a search's results are: their look-up is on the audit trail before they leave.
    """

    throttle_classes = (TypingThrottle,)
    max_body_bytes = settings.MAX_BODY_BYTES

    @_operation(
        "complete",
        Completion,
        CompleteSerializer,
        examples=(
            asked("a value", {"query": "Site = an", "cursor": 9}),
            answered(
                "values of the index",
                {
                    "start": 7,
                    "end": 9,
                    "suggestions": [{"text": "ankara", "kind": "value", "type": ""}],
                    "complete": True,
                    "values_of": "Site",
                },
            ),
            answered("a cursor too far", problem_object(malformed("cursor: The cursor is behind the end.")), 400),
        ),
    )
    def post(self, request: Request) -> Response:
        """Complete a query that is being typed."""
        draft, user = self.begin(request), caller(request)
        wanted = checked(CompleteSerializer, request.data)
        draft.query, draft.index = wanted["query"], wanted_index(user, wanted.get("index"))
        require_index(user, draft.index)
        answer = translator_client.complete(wanted["query"], wanted["cursor"], draft.index)
        if answer["values_of"] is not None:
            draft.hits = len(answer["suggestions"])
            record_event(draft)
        return Response(answer)

    def is_recorded(self, problem: Problem) -> bool:
        """Record failures too: what fails may have been a look-up of values."""
        return problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR or super().is_recorded(problem)
