"""``/oauth/clients``: clients as administrators register, change and delete them."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.commands import written
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT
from gateway.http.fields import checked
from gateway.http.json_media import MERGE_PATCH
from gateway.http.preconditions import require_match
from gateway.http.problems import Code, Problem, malformed
from gateway.identity.account_models import OAuthClient
from gateway.identity.administration import (
    IF_MATCH,
    AdministratorsView,
    MergePatchParser,
    answer_with_etag,
    change_of_one,
    etag,
    lock_administrators,
    on_all,
    on_one,
)
from gateway.identity.authentication import caller
from gateway.identity.models import Role, User
from gateway.identity.oauth.clients import end_client, new_secret
from gateway.identity.schema import ClientAnswer, Clients, OneClient, RegisteredClient
from gateway.identity.serializers import ClientPatchSerializer, NewClientSerializer

_ID = OpenApiParameter("client_id", str, OpenApiParameter.PATH, description="The client's id.")
MAX_CLIENTS = 200
_OWN = "client_credentials"


class ClientsView(AdministratorsView):
    """OAuth clients."""

    @on_all("oauth_clients", Clients)
    def get(self, request: Request) -> Response:
        """List the OAuth clients.

        Without their secrets.
        """
        draft = self.begin(request)
        draft.query = "list OAuth clients"
        clients = OAuthClient.objects.select_related("user").order_by("created_at", "pk")[:MAX_CLIENTS]
        record_event(draft)
        return Response(Clients(clients=[_described(client) for client in clients]), headers=NOT_KEPT)

    @on_all("register_oauth_client", RegisteredClient, NewClientSerializer, status=HTTPStatus.CREATED)
    def post(self, request: Request) -> Response:
        """Register an OAuth client.

        Its secret is in this answer and nowhere else.
        """
        draft = self.begin(request)
        wanted = checked(NewClientSerializer, request.data)
        client = OAuthClient()
        secret = new_secret(client) if wanted.pop("confidential") else None
        said = _set(client, wanted, is_new=True)
        draft.status = HTTPStatus.CREATED
        with transaction.atomic():
            lock_administrators(caller(request))
            if OAuthClient.objects.count() >= MAX_CLIENTS:
                raise malformed(f"There are {MAX_CLIENTS} clients, which is as many as there may be; delete one.")
            client.save(force_insert=True)
            draft.note_changes([f"add OAuth client {written(client.pk)}: {', '.join(said)}"])
            record_event(draft)
        shown = {} if secret is None else {"client_secret": secret}
        return answer_with_etag(_described(client), draft.status, **shown)


class ClientView(AdministratorsView):
    """One OAuth client."""

    parser_classes = (MergePatchParser,)

    @on_one("oauth_client", OneClient, parameters=[_ID])
    def get(self, request: Request, client_id: str) -> Response:
        """Show an OAuth client.

        The answer has an ETag, which a change takes.
        """
        draft = self.begin(request)
        draft.query = f"show OAuth client {written(client_id)}"
        client = _find(client_id)
        record_event(draft)
        return _answer(client)

    @change_of_one("change_oauth_client", OneClient, {MERGE_PATCH: ClientPatchSerializer}, parameters=[_ID, IF_MATCH])
    def patch(self, request: Request, client_id: str) -> Response:
        """Change an OAuth client.

        A merge patch (RFC 7396): members that are not sent stay. A grant that is taken away ends with the next use.
        """
        draft = self.begin(request)
        wanted = checked(ClientPatchSerializer, request.data)
        with transaction.atomic():
            lock_administrators(caller(request))
            client = _find(client_id)
            require_match(request, etag(_described(client)))
            said = _set(client, wanted, is_new=False)
            if said:
                client.save()
                draft.note_changes([f"change OAuth client {written(client.pk)}: {', '.join(said)}"])
            record_event(draft)
        return _answer(client)

    @change_of_one(
        "delete_oauth_client",
        None,
        also={204: OpenApiResponse(description="The client is deleted, and its tokens have ended.")},
        parameters=[_ID, IF_MATCH],
    )
    def delete(self, request: Request, client_id: str) -> Response:
        """Delete an OAuth client.

        The log-ins and tokens that were issued to it end.
        """
        draft = self.begin(request)
        draft.status = HTTPStatus.NO_CONTENT
        with transaction.atomic():
            lock_administrators(caller(request))
            client = _find(client_id)
            require_match(request, etag(_described(client)))
            end_client(client, datetime.now(UTC))
            draft.note_changes([f"delete OAuth client {written(client_id)}"])
            record_event(draft)
        return Response(status=draft.status)


def _described(client: OAuthClient) -> ClientAnswer:
    return {
        "client_id": client.pk,
        "name": client.name,
        "confidential": bool(client.digest),
        "grants": client.grants,
        "user": None if client.user is None else client.user.username,
        "created_at": client.created_at,
    }


def _answer(client: OAuthClient) -> Response:
    return answer_with_etag(_described(client))


def _find(client_id: str) -> OAuthClient:
    client = OAuthClient.objects.select_related("user").filter(pk=client_id).first()
    if client is None:
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "There is no OAuth client of this id.")
    return client


def _set(client: OAuthClient, wanted: dict[str, Any], *, is_new: bool) -> list[str]:
    """Set members of a client; says each change in words.

    Raises:
        Problem: 400, a member cannot be so.
    """
    before = _described(client)
    if "user" in wanted:
        client.user = _user(wanted["user"])
    client.name = wanted.get("name", client.name)
    client.grants = wanted.get("grants", client.grants)
    if _OWN in client.grants and (client.user is None or not client.digest):
        raise malformed("client_credentials takes a confidential client and its user.")
    after = _described(client)
    changed = [(name, before[name], after[name]) for name in ("name", "grants", "user")]
    if is_new:
        return [f"{name} {written(new)}" for name, _, new in changed if new is not None]
    return [f"{name} {written(old)} to {written(new)}" for name, old, new in changed if old != new]


def _user(name: str | None) -> User | None:
    """The user that a client is to be.

    Raises:
        Problem: 400, nobody active has the name, or an administrator, whose role is for people.
    """
    if name is None:
        return None
    user = User.objects.filter(username=name, is_active=True).exclude(role=Role.ADMIN).first()
    if user is None:
        raise malformed("user: Nobody active has this name, or it is an administrator's.")
    return user
