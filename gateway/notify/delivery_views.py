"""``/deliveries``: notifications on their way, as their recipients and administrators see them."""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.commands import written
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT
from gateway.http.fields import checked, read_uuid
from gateway.http.openapi import KNOWN, operation
from gateway.http.problems import Code, Problem
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller
from gateway.identity.authorization import has_role
from gateway.identity.models import Role, User
from gateway.inventory.base_views import InventoryView
from gateway.notify.deliveries import resend
from gateway.notify.models import Channel, Delivery, State
from gateway.notify.schema import Deliveries, DeliveryAnswer, OneDelivery
from gateway.notify.serializers import DeliveryParameters

_operation = partial(operation, group="Notifications")
_ID = OpenApiParameter("delivery_id", str, OpenApiParameter.PATH, description="The delivery's id.")


class DeliveriesView(InventoryView):
    """Deliveries."""

    @_operation("deliveries", Deliveries, problems=(400, *KNOWN), parameters=[DeliveryParameters])
    def get(self, request: Request) -> Response:
        """List deliveries by mail and webhook.

        Your own; administrators see everybody's. A dead one is not tried again until somebody sends it again.
        """
        draft = self.known(request)
        wanted = checked(DeliveryParameters, read_parameters(request))
        rows = _visible(caller(request))
        if "state" in wanted:
            rows = rows.filter(state=wanted["state"])
        if "after" in wanted:
            rows = rows.filter(pk__gt=wanted["after"])
        found = list(rows.order_by("pk")[: wanted["size"] + 1])
        page = found[: wanted["size"]]
        record_event(draft)
        answer: Deliveries = {
            "deliveries": [described(row) for row in page],
            "next": str(page[-1].pk) if len(found) > len(page) else None,
        }
        return Response(answer, headers=NOT_KEPT)


class ResendView(InventoryView):
    """Sending of a dead delivery again."""

    @_operation("resend_delivery", OneDelivery, problems=(*KNOWN, 404), parameters=[_ID])
    def post(self, request: Request, delivery_id: str) -> Response:
        """Send a dead delivery again.

        Under the same id, and with all its tries. One that is not dead stays as it is.
        """
        draft = self.known(request)
        rows = _visible(caller(request))
        with transaction.atomic():
            row = _find(rows, delivery_id)
            if resend([row.pk], datetime.now(UTC)):
                draft.note_changes([f"send delivery {written(str(row.pk))} again"])
            record_event(draft)
        return Response(described(_find(rows, delivery_id)), headers=NOT_KEPT)


def described(row: Delivery) -> DeliveryAnswer:
    """A delivery as it is shown."""
    number = row.notification.number
    assert number is not None
    return {
        "id": str(row.pk),
        "channel": Channel(row.channel),
        "state": State(row.state),
        "user": row.notification.recipient.username,
        "notification": number,
        "subscription": None if row.subscription_id is None else str(row.subscription_id),
        "attempts": row.attempts,
        "queued_at": row.queued_at,
        "next_at": row.next_at if row.state == State.PENDING else None,
        "error": row.last_error or None,
    }


def _visible(user: User) -> QuerySet[Delivery]:
    # As a query gateway may read it, and no more of a user than the name.
    rows = Delivery.objects.select_related("notification__recipient").only(
        *(field.name for field in Delivery._meta.concrete_fields),
        "notification__number",
        "notification__recipient__username",
    )
    return rows if has_role(user, Role.ADMIN) else rows.filter(notification__recipient=user)


def _find(rows: QuerySet[Delivery], delivery_id: str) -> Delivery:
    """A delivery that the caller may see.

    Raises:
        Problem: 404.
    """
    row = rows.filter(pk=read_uuid(delivery_id)).first()
    if row is None:
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "There is no delivery of this id that you may see.")
    return row
