"""``/notifications``: the caller's inbox.

Not on the audit trail, except refusals: it is asked for every few seconds, and names documents without their contents.
"""

from datetime import UTC, datetime
from functools import partial

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.draft import Subject
from gateway.audit.views import NOT_KEPT, RefusalsAuditedView
from gateway.http.fields import checked
from gateway.http.openapi import KNOWN, asked, operation
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller
from gateway.identity.models import User
from gateway.notify.models import Inbox, Kind, Notification
from gateway.notify.schema import InboxAnswer, NotificationAnswer, ReadAnswer
from gateway.notify.serializers import InboxParameters, ReadSerializer

_SHOWN = "number", "kind", "at", "data", "read_at"
_operation = partial(operation, group="Notifications")


class NotificationsView(RefusalsAuditedView):
    """The inbox."""

    subject = Subject.INVENTORY

    @_operation("notifications", InboxAnswer, problems=(400, *KNOWN), parameters=[InboxParameters])
    def get(self, request: Request) -> Response:
        """Read your inbox.

        In the order of the numbers, which have no gap and are never used twice: keep `next`, and ask again with it as
        `after`. The newest fifty are those after `last` - 50. Notifications are kept for 90 days, unless the operator
        has set another time.
        """
        wanted = checked(InboxParameters, read_parameters(request))
        user = caller(request)
        # Before the notifications: none with a lower number can come afterwards.
        last = Inbox.objects.values_list("last_number", flat=True).filter(pk=user.pk).first() or 0
        rows = Notification.objects.filter(recipient=user, number__gt=wanted["after"], number__lte=last)
        # Of who did it, the name alone: a query gateway may not read all of a user.
        named = rows.select_related("actor").only(*_SHOWN, "actor__username")
        found = list(named.order_by("number")[: wanted["size"]])
        following = found[-1].number if found else max(last, wanted["after"])
        assert following is not None
        answer: InboxAnswer = {
            "notifications": [described(row) for row in found],
            "next": following,
            "last": last,
            "unread": _unread(user),
        }
        return Response(answer, headers=NOT_KEPT)


class ReadView(RefusalsAuditedView):
    """Marking of notifications as read."""

    subject = Subject.INVENTORY

    @_operation("read_notifications", ReadAnswer, ReadSerializer, examples=[asked("all of a page", {"up_to": 17})])
    def post(self, request: Request) -> Response:
        """Mark notifications as read."""
        wanted = checked(ReadSerializer, request.data)
        user = caller(request)
        rows = Notification.objects.filter(recipient=user, read_at=None)
        if "up_to" in wanted:
            rows = rows.filter(number__lte=wanted["up_to"])
        else:
            rows = rows.filter(number__in=wanted["numbers"])
        with transaction.atomic():
            rows.update(read_at=datetime.now(UTC))
            unread = _unread(user)
        return Response(ReadAnswer(unread=unread), headers=NOT_KEPT)


def described(row: Notification) -> NotificationAnswer:
    """A notification as its recipient sees it."""
    assert row.number is not None
    return {
        "number": row.number,
        "kind": Kind(row.kind),
        "at": row.at,
        "actor": None if row.actor is None else row.actor.username,
        "data": row.data,
        "read": row.read_at is not None,
    }


def _unread(user: User) -> int:
    return Notification.objects.filter(recipient=user, read_at=None).exclude(number=None).count()
