"""Views for the vendor's own client, ``octoxlabs`` on PyPI: paths and shapes are that client's.

Its devices are the documents of the caller's first configured index, and that index as it stands is its one discovery.

Why: the client omits a null ``scroll_id`` from its next request, which would start the scroll again, without end. So
the last devices come with the ``scroll_id`` ``"end"``, which brings no devices and none again. Keeping the snapshot
open until an empty page would hold one of the user's ten for two minutes. The client exchanges its API key once and
cannot renew a token, so it gets one for 12 hours, bounded by the key's expiry and ended with the key; an API key as
Bearer token would put the long-lived secret into every request.
"""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Literal

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.recording import record_event
from gateway.audit.views import API_KEY, NOT_KEPT, AuditedView, CredentialsView, RefusalsAuditedView
from gateway.http.fields import checked
from gateway.http.openapi import INDEX, JSON, KNOWN, asked, operation, schema_of
from gateway.http.problems import Code, Problem
from gateway.identity.access_tokens import mint
from gateway.identity.authentication import caller
from gateway.identity.authorization import device_index, require_index
from gateway.identity.login import log_in_with_key
from gateway.identity.models import LONGEST_TOKEN_SECONDS
from gateway.octoxlabs.results import as_lists
from gateway.octoxlabs.schema import AccessToken, DevicesAnswer, Discovery, FoundDevice, Pong
from gateway.octoxlabs.serializers import DeviceSerializer, DevicesSerializer, TokenSerializer
from gateway.search.cursors import ForeignCursor
from gateway.search.elasticsearch import creation_time
from gateway.search.pipeline import plan, run
from gateway.search.points_in_time import KEEP_ALIVE_SECONDS, ExpiredCursor
from gateway.search.request import SearchRequest
from gateway.search.serializers import START, unchecked_query

_operation = partial(operation, group="The octoxlabs client")
_DISCOVERY_ID: Literal[1] = 1
# The client sends no scroll_id where it was given none, and that starts a scroll: a program that reads until an answer
# is empty would read everything again and again. So the last devices come with this, and this brings an empty answer.
_SCROLL_END = "end"
_SCROLL_PROBLEMS = {
    Code.MALFORMED: "scroll_id: It does not belong to this search; send that of the answer before as it is, with the "
    "same query and ordering, or leave it out to start again.",
    Code.CURSOR_EXPIRED: f"The scroll is over: it is kept for {KEEP_ALIVE_SECONDS} seconds after its last use. Start "
    "again without a scroll_id.",
}
_DONE: Literal[2] = 2
"""The client's number for a discovery that has come to its end."""


_HOSTS_BY_NAME = asked(
    "hosts by name",
    {"query": "Hostname = octoxlabs*", "fields": ["Hostname", "Ip"], "ordering": [{"field": "Hostname"}], "size": 1},
)


class TokenView(CredentialsView):
    """Exchanges an API key for an access token; for everybody."""

    @_operation("vendor_token", AccessToken, TokenSerializer)
    def post(self, request: Request) -> Response:
        """Exchange an API key for an access token."""
        now = datetime.now(UTC)
        key = log_in_with_key(checked(TokenSerializer, request.data)["token"], now)
        record_event(self.let_in(request, key.user.username, API_KEY))
        token = mint(key.user, key.id, now, key.expires_at, seconds=LONGEST_TOKEN_SECONDS)
        return Response(AccessToken(access=token), headers=NOT_KEPT)


class PingView(RefusalsAuditedView):
    """Whether the caller may come in."""

    @_operation("vendor_ping", Pong)
    def get(self, request: Request) -> Response:
        """Check your credentials."""
        del request
        return Response(Pong(pong="ok"))


class LastDiscoveryView(RefusalsAuditedView):
    """The one discovery, which the client asks for before it looks a device up."""

    @_operation("vendor_last_discovery", Discovery, problems=(400, *KNOWN, *INDEX))
    def get(self, request: Request) -> Response:
        """Get the last discovery.

        It is the index: there since it was made, complete as of now.
        """
        index = device_index(caller(request))
        require_index(caller(request), index)
        answer: Discovery = {
            "id": _DISCOVERY_ID,
            "start_time": _timestamp(creation_time(index)),
            "end_time": _timestamp(datetime.now(UTC)),
            "status": _DONE,
            "progress": 100.0,
        }
        return Response(answer)


class DevicesView(AuditedView):
    """Searches devices, by page or by scroll."""

    max_body_bytes = settings.MAX_BODY_BYTES

    @_operation(
        "vendor_devices", DevicesAnswer, DevicesSerializer, problems=(*KNOWN, *INDEX, 409), examples=(_HOSTS_BY_NAME,)
    )
    def post(self, request: Request) -> Response:
        """Search devices."""
        draft, user = self.begin(request), caller(request)
        draft.query = unchecked_query(request.data)
        wanted = checked(DevicesSerializer, request.data)
        _require_discovery(wanted["index_id"])
        is_over = wanted["scroll_id"] == _SCROLL_END
        search = SearchRequest(
            query=wanted["query"],
            index=device_index(user),
            sort=[f"-{by['field']}" if by["order"] == "desc" else by["field"] for by in wanted["ordering"]],
            fields=wanted["fields"] or None,
            size=0 if is_over else wanted["size"],
            page=wanted["page"],
            cursor=None if is_over or not wanted["scrollable"] else wanted["scroll_id"] or START,
            exact_count=True,
        )
        planned = plan(user, draft, search)
        try:
            with run(user, draft, planned) as page:
                record_event(draft)
        except (ForeignCursor, ExpiredCursor) as problem:
            raise Problem(problem.status, problem.code, _SCROLL_PROBLEMS[problem.code]) from None
        is_last = wanted["scrollable"] and page.results and page.next is None
        answer: DevicesAnswer = {
            "count": page.count,
            "results": [as_lists(device) for device in page.results],
            "scroll_id": _SCROLL_END if is_last else page.next,
        }
        return Response(answer)


class DeviceView(AuditedView):
    """Looks one device up."""

    @_operation(
        "vendor_device",
        None,
        DeviceSerializer,
        problems=(*KNOWN, *INDEX),
        also={(200, JSON): OpenApiResponse(schema_of(FoundDevice), "The device.")},
        parameters=[OpenApiParameter("hostname", str, OpenApiParameter.PATH, description="The whole Hostname.")],
    )
    def post(self, request: Request, hostname: str) -> Response:
        """Get a device by its name.

        Where several have the name, it is one of them.
        """
        draft, user = self.begin(request), caller(request)
        draft.query = _query_for(hostname)
        _require_discovery(checked(DeviceSerializer, request.data)["index_id"])
        planned = plan(user, draft, SearchRequest(query=draft.query, index=device_index(user), size=1))
        with run(user, draft, planned) as page:
            if not page.results:
                raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "There is no device with this Hostname.")
            record_event(draft)
        return Response(as_lists(page.results[0]))


def _query_for(hostname: str) -> str:
    """The query for a host by its whole name, whatever is in it."""
    escaped = hostname.replace("\\", "\\\\").replace('"', '\\"')
    return f'Hostname = "{escaped}"'


def _require_discovery(index_id: int | None) -> None:
    if index_id not in (None, _DISCOVERY_ID):
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, f"There is one discovery, {_DISCOVERY_ID}; ask for that.")


def _timestamp(moment: datetime) -> str:
    """The one way of writing a time that the client reads."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
