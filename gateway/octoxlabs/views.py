"""The API of the vendor's own client, ``octoxlabs`` on PyPI: paths and shapes are that client's.

Its devices are the documents of the caller's first configured index, and that index as it stands is its one discovery.

Why: the client omits a null ``scroll_id`` from its next request, which would start the scroll again, without end. So
the last devices come with the ``scroll_id`` ``"end"``, which brings no devices and none again. Keeping the snapshot
open until an empty page would hold one of the user's ten for two minutes. The client exchanges its API key once and
cannot renew a token, so it gets one for 12 hours, bounded by the key's expiry and ended with the key; an API key as
Bearer token would put the long-lived secret into every request.
"""

from datetime import UTC, datetime
from http import HTTPStatus

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.recording import record_event
from gateway.audit.views import API_KEY, NOT_KEPT, AuditedView, CredentialsView, RefusalsAuditedView
from gateway.http.fields import checked
from gateway.http.problems import Code, Problem
from gateway.identity.access_tokens import mint
from gateway.identity.authentication import caller
from gateway.identity.authorization import device_index, require_index
from gateway.identity.login import log_in_with_key
from gateway.identity.models import LONGEST_TOKEN_SECONDS
from gateway.octoxlabs.results import as_lists
from gateway.octoxlabs.schema import device_schema, devices_schema, discovery_schema, ping_schema, token_schema
from gateway.octoxlabs.serializers import DeviceSerializer, DevicesSerializer, TokenSerializer
from gateway.search.cursors import ForeignCursor
from gateway.search.elasticsearch import creation_time
from gateway.search.pipeline import noted_body, plan, run
from gateway.search.points_in_time import KEEP_ALIVE_SECONDS, ExpiredCursor
from gateway.search.request import SearchRequest
from gateway.search.serializers import START

_DISCOVERY_ID = 1
# The client sends no scroll_id where it was given none, and that starts a scroll: a program that reads until an answer
# is empty would read everything again and again. So the last devices come with this, and this brings an empty answer.
_SCROLL_END = "end"
_SCROLL_PROBLEMS = {
    Code.MALFORMED: "scroll_id: It is none of this search's; send the one of the answer before as it is, with the same "
    "query and ordering, or none, which starts again.",
    Code.CURSOR_EXPIRED: f"The scroll is over: it is kept for {KEEP_ALIVE_SECONDS} seconds after its last use. Start "
    "again without a scroll_id.",
}
_DONE = 2
"""The client's number for a discovery that has come to its end."""


class TokenView(CredentialsView):
    """Exchanges an API key for an access token; for everybody."""

    @token_schema
    def post(self, request: Request) -> Response:
        """Mint a token for the key's user."""
        now = datetime.now(UTC)
        key = log_in_with_key(checked(TokenSerializer, request.data)["token"], now)
        record_event(self.let_in(request, key.user.username, API_KEY))
        token = mint(key.user, key.id, now, key.expires_at, seconds=LONGEST_TOKEN_SECONDS)
        return Response({"access": token}, headers=NOT_KEPT)


class PingView(RefusalsAuditedView):
    """Whether the caller may come in."""

    @ping_schema
    def get(self, request: Request) -> Response:
        """Answer whoever may."""
        del request
        return Response({"pong": "ok"})


class LastDiscoveryView(RefusalsAuditedView):
    """The one discovery, which the client asks for before it looks a device up."""

    @discovery_schema
    def get(self, request: Request) -> Response:
        """Describe the index: there since it was made, complete as of now."""
        index = device_index(caller(request))
        require_index(caller(request), index)
        return Response(
            {
                "id": _DISCOVERY_ID,
                "start_time": _timestamp(creation_time(index)),
                "end_time": _timestamp(datetime.now(UTC)),
                "status": _DONE,
                "progress": 100.0,
            }
        )


class DevicesView(AuditedView):
    """Searches devices, by page or by scroll."""

    max_body_bytes = settings.MAX_BODY_BYTES

    @devices_schema
    def post(self, request: Request) -> Response:
        """Search devices."""
        draft, user = self.begin(request), caller(request)
        asked = checked(DevicesSerializer, noted_body(request, draft))
        _require_discovery(asked["index_id"])
        is_over = asked["scroll_id"] == _SCROLL_END
        search = SearchRequest(
            query=asked["query"],
            index=device_index(user),
            sort=[f"-{by['field']}" if by["order"] == "desc" else by["field"] for by in asked["ordering"]],
            fields=asked["fields"] or None,
            size=0 if is_over else asked["size"],
            page=asked["page"],
            cursor=None if is_over or not asked["scrollable"] else asked["scroll_id"] or START,
            exact_count=True,
        )
        planned = plan(user, draft, search)
        try:
            with run(user, draft, planned) as page:
                record_event(draft)
        except (ForeignCursor, ExpiredCursor) as problem:
            raise Problem(problem.status, problem.code, _SCROLL_PROBLEMS[problem.code]) from None
        is_last = asked["scrollable"] and page.results and page.next is None
        return Response(
            {
                "count": page.count,
                "results": [as_lists(device) for device in page.results],
                "scroll_id": _SCROLL_END if is_last else page.next,
            }
        )


class DeviceView(AuditedView):
    """Looks one device up."""

    @device_schema
    def post(self, request: Request, hostname: str) -> Response:
        """Find the device of this name; where several have it, one of them."""
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
