"""``/subscriptions``: what the caller wants to be told of, and by what."""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.commands import written
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT
from gateway.http.fields import checked, read_uuid
from gateway.http.openapi import KNOWN, asked, operation
from gateway.http.preconditions import require_match
from gateway.http.problems import Code, Problem, malformed
from gateway.http.query_string import read_parameters
from gateway.identity.administration import IF_MATCH
from gateway.identity.authentication import caller
from gateway.identity.models import User
from gateway.inventory.base_views import InventoryView
from gateway.inventory.preconditions import etag
from gateway.notify.audience import can_mail
from gateway.notify.models import Subscription
from gateway.notify.schema import OneSubscription, SubscriptionAnswer, Subscriptions
from gateway.notify.serializers import SubscriptionSerializer
from gateway.notify.webhooks import new_secret, seal_secret

_operation = partial(operation, group="Notifications")
_ID = OpenApiParameter("subscription_id", str, OpenApiParameter.PATH, description="The subscription's id.")
MAX_SUBSCRIPTIONS = 100
"""Of a user."""
_PRICES = asked("prices alone, by mail too", {"type": "product", "members": ["/price"], "email": True})


class _SubscriptionsView(InventoryView):
    """A view of subscriptions."""

    max_body_bytes = 16 * 1024

    def check(self, user: User, wanted: dict[str, Any]) -> None:
        """Refuse what the user may not be told, or cannot be told so.

        Raises:
            Problem: 400, 403; 404 for an administrator.
        """
        self.check_history_reader(user, wanted["type"])
        if wanted["email"] and settings.GATEWAY.mail_url is None:
            raise malformed("email: This gateway sends no mail; its operator can set GATEWAY_MAIL_URL.")
        if wanted["email"] and not can_mail(user):
            raise malformed(
                "email: Your account has no confirmed mail address. An administrator sets an address, and a new "
                "password that you ask for by mail confirms it."
            )


class SubscriptionsView(_SubscriptionsView):
    """The caller's subscriptions."""

    @_operation("subscriptions", Subscriptions, problems=(400, *KNOWN))
    def get(self, request: Request) -> Response:
        """List your subscriptions.

        Without the secrets of their webhooks.
        """
        draft = self.known(request)
        _no_parameters(request)
        rows = Subscription.objects.filter(user=caller(request)).order_by("pk")
        answer = Subscriptions(subscriptions=[described(row) for row in rows])
        record_event(draft)
        return Response(answer, headers=NOT_KEPT)

    @_operation(
        "subscribe",
        OneSubscription,
        SubscriptionSerializer,
        status=201,
        problems=(*KNOWN, 403, 404),
        examples=[_PRICES],
    )
    def post(self, request: Request) -> Response:
        """Subscribe to the changes of a type.

        Everything is in your inbox; it is sent by mail or webhook where you say so. The secret of a webhook is in this
        answer and nowhere else. You are not told of your own changes.
        """
        draft = self.known(request)
        user = caller(request)
        wanted = checked(SubscriptionSerializer, request.data)
        self.check(user, wanted)
        draft.status = HTTPStatus.CREATED
        now = datetime.now(UTC)
        row = Subscription(user=user, created_at=now)
        secret = _set(row, wanted, now)
        with transaction.atomic():
            user.lock()
            if Subscription.objects.filter(user=user).count() >= MAX_SUBSCRIPTIONS:
                raise malformed(f"You have {MAX_SUBSCRIPTIONS} subscriptions, which is as many as there may be.")
            row.save(force_insert=True)
            draft.note_changes([f"add subscription {written(str(row.pk))}: {_said(row)}"])
            record_event(draft)
        answer = _answer(row, secret, HTTPStatus.CREATED)
        answer["Location"] = f"/subscriptions/{row.pk}"
        return answer


class SubscriptionView(_SubscriptionsView):
    """One subscription."""

    @_operation("subscription", OneSubscription, problems=(*KNOWN, 404), parameters=[_ID])
    def get(self, request: Request, subscription_id: str) -> Response:
        """Show a subscription.

        The answer has an ETag, which a change takes.
        """
        draft = self.known(request)
        row = _find(caller(request), subscription_id)
        record_event(draft)
        return _answer(row)

    @_operation(
        "change_subscription",
        OneSubscription,
        SubscriptionSerializer,
        problems=(*KNOWN, 400, 403, 404, 412, 428),
        parameters=[_ID, IF_MATCH],
        examples=[_PRICES],
    )
    def put(self, request: Request, subscription_id: str) -> Response:
        """Replace a subscription.

        A webhook of another address gets a new secret, which is in this answer and nowhere else.
        """
        draft = self.known(request)
        user = caller(request)
        wanted = checked(SubscriptionSerializer, request.data)
        self.check(user, wanted)
        now = datetime.now(UTC)
        with transaction.atomic():
            user.lock()
            row = _find(user, subscription_id)
            require_match(request, etag(row.version))
            before = _members(row)
            secret = _set(row, wanted, now)
            if _members(row) != before:
                row.version += 1
                row.updated_at = now
                row.save()
                draft.note_changes([f"change subscription {written(str(row.pk))}: {_said(row)}"])
            record_event(draft)
        return _answer(row, secret)

    @_operation(
        "unsubscribe",
        None,
        problems=(*KNOWN, 400, 404, 412, 428),
        also={204: OpenApiResponse(description="The subscription is deleted, with what is still to be sent by it.")},
        parameters=[_ID, IF_MATCH],
    )
    def delete(self, request: Request, subscription_id: str) -> Response:
        """Delete a subscription.

        What is in your inbox stays.
        """
        draft = self.known(request)
        user = caller(request)
        draft.status = HTTPStatus.NO_CONTENT
        with transaction.atomic():
            user.lock()
            row = _find(user, subscription_id)
            require_match(request, etag(row.version))
            draft.note_changes([f"delete subscription {written(str(row.pk))}: {_said(row)}"])
            row.delete()
            record_event(draft)
        return Response(status=draft.status)


def described(row: Subscription) -> SubscriptionAnswer:
    """A subscription as its user sees it."""
    return {
        "id": str(row.pk),
        "type": row.type,
        "members": row.members,
        "email": row.email,
        "webhook": row.webhook or None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _answer(row: Subscription, secret: str | None = None, status: HTTPStatus = HTTPStatus.OK) -> Response:
    shown = {} if secret is None else {"secret": secret}
    return Response({**described(row), **shown}, status=status, headers={**NOT_KEPT, "ETag": etag(row.version)})


def _members(row: Subscription) -> tuple[Any, ...]:
    return row.type, row.members, row.email, row.webhook


def _said(row: Subscription) -> str:
    """A subscription in words, without the address of its webhook, which may hold a secret of the receiver's."""
    by = ["email"] * row.email + ["webhook"] * bool(row.webhook)
    return f"type {written(row.type)}, members {written(row.members)}, by {written(['inbox', *by])}"


def _set(row: Subscription, wanted: dict[str, Any], now: datetime) -> str | None:
    """Set the members of a subscription; the secret of its webhook, if that is new."""
    secret = None
    address = wanted["webhook"] or ""
    if address != row.webhook:
        secret = new_secret() if address else None
        row.sealed_secret = "" if secret is None else seal_secret(secret)
    row.webhook = address
    row.type, row.members, row.email = wanted["type"], wanted["members"], wanted["email"]
    row.updated_at = row.updated_at or now
    return secret


def _find(user: User, subscription_id: str) -> Subscription:
    """A subscription of the user's own.

    Raises:
        Problem: 404.
    """
    row = Subscription.objects.filter(pk=read_uuid(subscription_id), user=user).first()
    if row is None:
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "You have no subscription of this id.")
    return row


def _no_parameters(request: Request) -> None:
    if read_parameters(request):
        raise malformed("There are no parameters.")
