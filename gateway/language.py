"""``GET /fields``, ``POST /complete`` and ``POST /translate``: the query language, without a search."""

from http import HTTPStatus

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from gateway import translator
from gateway.access import require_index
from gateway.auth import caller
from gateway.correlation import correlation_of
from gateway.openapi.language import complete_schema, fields_schema, translate_schema
from gateway.parameters import read_parameters
from gateway.problems import Problem
from gateway.recorded_view import RefusalsRecordedView
from gateway.serializers import CompleteSerializer, FieldsSerializer, TranslateSerializer, checked
from gateway.trail import put_on_trail


class FieldsView(RefusalsRecordedView):
    """The fields of an index."""

    @fields_schema
    def get(self, request: Request) -> Response:
        """List the fields of an index that a query can name."""
        index = checked(FieldsSerializer, read_parameters(request), caller(request))["index"]
        require_index(caller(request), index)
        return Response(translator.fields(index, correlation=correlation_of(request)))


class TranslateView(RefusalsRecordedView):
    """What a query means to Elasticsearch."""

    max_body_bytes = settings.MAX_BODY_BYTES

    @translate_schema
    def post(self, request: Request) -> Response:
        """Translate a query; nothing is run."""
        asked = checked(TranslateSerializer, request.data, caller(request))
        require_index(caller(request), asked["index"])
        return Response(translator.translate(**asked, correlation=correlation_of(request)))


class CompleteView(RefusalsRecordedView):
    """What can stand at the cursor of a query.

    Values from the index are data as a search's results are: their look-up is on the audit trail before they leave.
    """

    max_body_bytes = settings.MAX_BODY_BYTES

    @complete_schema
    def post(self, request: Request) -> Response:
        """Complete a query that is being typed."""
        record = self.begin(request)
        asked = checked(CompleteSerializer, request.data, caller(request))
        record.query, record.index = asked["query"], asked["index"]
        require_index(caller(request), asked["index"])
        answer = translator.complete(**asked, correlation=record.correlation)
        if answer["values_of"] is not None:
            record.hits = len(answer["suggestions"])
            put_on_trail(record)
        return Response(answer)

    def is_recorded(self, problem: Problem) -> bool:
        """Record failures too: what fails may have been a look-up of values."""
        return problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR or super().is_recorded(problem)
