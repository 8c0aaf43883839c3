"""``/downloads``: all of a search's answer as a file, for who cannot send a header."""

from datetime import UTC, datetime
from functools import partial

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from gateway.audit.draft import Subject
from gateway.audit.views import CredentialsView
from gateway.http.fields import checked
from gateway.http.openapi import INDEX, KNOWN, operation
from gateway.identity.authorization import require_index
from gateway.identity.serializers import DOWNLOAD
from gateway.identity.tickets import TICKET_SCHEME, use_ticket, user_of_ticket
from gateway.search import csv_stream, streams
from gateway.search.pipeline import plan
from gateway.search.request import SearchRequest
from gateway.search.serializers import StreamSerializer, unchecked_query
from gateway.search.views import stream_answer

_MEDIA_TYPES = {"ndjson": streams.MEDIA_TYPE, "csv": csv_stream.MEDIA_TYPE}


class DownloadView(CredentialsView):
    """A search's answer as a file, by a ticket."""

    subject = Subject.QUERY

    @partial(operation, group="Search")(
        "download",
        None,
        problems=(400, *KNOWN, *INDEX),
        also={
            (200, media_type): OpenApiResponse({"type": "string"}, "Every document that matches, as a file to save.")
            for media_type in _MEDIA_TYPES.values()
        },
        parameters=[OpenApiParameter("ticket", str, OpenApiParameter.PATH, description="From POST /auth/tickets.")],
    )
    def get(self, request: Request, ticket: str) -> HttpResponseBase:
        """Download what a search finds.

        Runs the search of the ticket, once, as a stream in the ticket's format.
        """
        found = use_ticket(DOWNLOAD, ticket, datetime.now(UTC))
        if found is None:
            raise AuthenticationFailed("The ticket is unknown, used or expired; get another from POST /auth/tickets.")
        user, asked_for, file_type = found.user, found.data["search"], found.data["format"]
        draft = self.let_in(request, user.username, TICKET_SCHEME)
        draft.query = unchecked_query(asked_for)
        planned = plan(user, draft, SearchRequest(**checked(StreamSerializer, asked_for)))

        def check_caller() -> None:
            require_index(user_of_ticket(found), planned.index)

        answer = stream_answer(user, draft, planned, check_caller, _MEDIA_TYPES[file_type])
        # Of an index's characters, only the asterisk of a pattern cannot stand in a file's name everywhere.
        name = planned.index.replace("-*", "")
        answer["Content-Disposition"] = f'attachment; filename="{name}.{file_type}"'
        return answer
