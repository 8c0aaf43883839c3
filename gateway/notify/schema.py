"""Answers of the room ``notify``: their types, from which OpenAPI is made."""

from datetime import datetime
from typing import Annotated, Any, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from gateway.http.openapi import Count, described, example
from gateway.notify.models import Channel, Kind, State

_Object = Annotated[Any, WithJsonSchema({"type": "object", "additionalProperties": True})]


@described
class NotificationAnswer(TypedDict):
    """One thing that the caller is told."""

    number: Annotated[Count, example(17)]
    """The caller's own counter, without a gap."""
    kind: Kind
    at: Annotated[datetime, example("2026-11-21T01:02:03Z")]
    actor: Annotated[str | None, example("ayse")]
    """The user who did it; null where that is not known any more."""
    data: Annotated[
        _Object,
        example({"type": "product", "id": "H-1", "version": 3, "op": "patch", "changed": ["/price"]}),
    ]
    """Its subject. A change has type, id, version, op and changed; an import type, import_id and changes."""
    read: bool
    """Whether the caller has marked it as read."""


@described
class InboxAnswer(TypedDict):
    """Notifications in the order of their numbers."""

    notifications: list[NotificationAnswer]
    next: Annotated[Count, example(17)]
    """The number to send as `after` for those that follow, now or later."""
    last: Annotated[Count, example(17)]
    """The number of the newest."""
    unread: Annotated[Count, example(2)]
    """The number of those that the caller has not marked as read."""


@described
class ReadAnswer(TypedDict):
    """The inbox after that."""

    unread: Annotated[Count, example(0)]
    """The number of those that the caller has not marked as read."""


@described
class SubscriptionAnswer(TypedDict):
    """A subscription."""

    id: Annotated[str, example("01936f0e-8c3a-7b5e-9d2f-1a2b3c4d5e6f")]
    type: Annotated[str, example("product")]
    members: Annotated[list[str], example(["/price"])]
    """JSON pointers to the members whose changes are told; none is all."""
    email: bool
    webhook: Annotated[str | None, example("https://example.com/hooks/prices")]
    created_at: Annotated[datetime, example("2026-11-21T01:02:03Z")]
    updated_at: Annotated[datetime, example("2026-11-21T01:02:03Z")]


@described
class OneSubscription(SubscriptionAnswer):
    """The subscription."""

    secret: NotRequired[Annotated[str, example("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]]
    """By which webhooks are signed; shown this once, where the webhook is new."""


@described
class Subscriptions(TypedDict):
    """The caller's subscriptions, the oldest first."""

    subscriptions: list[SubscriptionAnswer]


@described
class DeliveryAnswer(TypedDict):
    """A notification on its way by mail or webhook."""

    id: Annotated[str, example("01936f0e-8c3a-7b5e-9d2f-1a2b3c4d5e6f")]
    """Also in the mail's Message-ID; the webhook-id is it without hyphens, after `msg_`."""
    channel: Channel
    state: State
    user: Annotated[str, example("ayse")]
    """The recipient."""
    notification: Annotated[Count, example(17)]
    """Its number in the recipient's inbox."""
    subscription: Annotated[str | None, example(None)]
    """The id of the webhook's subscription."""
    attempts: Annotated[Count, example(17)]
    queued_at: Annotated[datetime, example("2026-11-21T01:02:03Z")]
    next_at: Annotated[datetime | None, example(None)]
    """Time of the next try; null unless it is pending."""
    error: Annotated[str | None, example("the receiver answered 503")]
    """Reason why the last try has failed."""


@described
class OneDelivery(DeliveryAnswer):
    """The delivery."""


@described
class Deliveries(TypedDict):
    """Deliveries, the oldest first."""

    deliveries: list[DeliveryAnswer]
    next: Annotated[str | None, example("01936f0e-8c3a-7b5e-9d2f-1a2b3c4d5e6f")]
    """The id to send as `after` for those that follow; null after the last."""
