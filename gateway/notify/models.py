"""Tables of notifications: inboxes, what is in them, subscriptions, and deliveries by mail and webhook."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from contracts.query_event.event import new_event_id
from gateway.inventory.models import MAX_NAME_CHARACTERS

MAX_URL_CHARACTERS = 2048
MAX_ERROR_CHARACTERS = 200


class Kind(models.TextChoices):  # pylint: disable=too-many-ancestors  # as the framework has it
    """Kind of a notification."""

    INVENTORY_CHANGED = "inventory.changed"
    INVENTORY_IMPORTED = "inventory.imported"
    SAVED_CHANGED = "saved.changed"
    WATCH_FOUND = "watch.found"


class Channel(models.TextChoices):  # pylint: disable=too-many-ancestors  # as above
    """Way by which a notification leaves the inbox."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class State(models.TextChoices):  # pylint: disable=too-many-ancestors  # as above
    """State of a delivery; a dead one is not tried again unless somebody says so."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


def new_id() -> uuid.UUID:
    """A UUIDv7, so that ids sort by the time they were made."""
    return uuid.UUID(new_event_id())


class Inbox(models.Model):
    """The inbox of a user; ``last_number`` counts the notifications that were put into it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="inbox")
    last_number = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        db_table = "notify_inbox"
        verbose_name_plural = "inboxes"

    def __str__(self) -> str:
        return f"inbox of {self.user}"


class Notification(models.Model):
    """One thing that one user is told.

    ``number`` is the recipient's own counter; it is None while an import goes on, of which there is one notification.
    ``source`` is the id of what it tells of, so that nobody is told twice. ``data`` depends on the kind. ``channels``
    has what an import's notification is sent by, once it is whole.
    """

    id = models.BigAutoField(primary_key=True)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    number = models.PositiveBigIntegerField(null=True, editable=False)
    kind = models.CharField(max_length=32, choices=Kind, editable=False)
    source = models.CharField(max_length=64, editable=False)
    # Hidden from the erasure of a user's rows: a notification belongs to its recipient.
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_index=True, editable=False)
    data = models.JSONField(editable=False)
    channels = models.JSONField(null=True, editable=False)
    read_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "notify_notification"
        constraints = (
            models.UniqueConstraint(fields=("recipient", "source"), name="notify_notification_once"),
            models.UniqueConstraint(fields=("recipient", "number"), name="notify_notification_number"),
        )
        indexes = (
            models.Index(fields=("at",), condition=Q(number=None), name="notify_notification_open"),
            models.Index(fields=("recipient",), condition=Q(read_at=None), name="notify_notification_unread"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class Subscription(models.Model):
    """A user's wish to be told of the changes of a type, or of some members alone.

    ``members`` has JSON pointers. ``version`` counts the changes of the subscription itself.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="subscriptions")
    type = models.CharField(max_length=MAX_NAME_CHARACTERS, db_index=True, editable=False)
    members = models.JSONField(default=list, editable=False)
    email = models.BooleanField(default=False, editable=False)
    webhook = models.CharField(max_length=MAX_URL_CHARACTERS, blank=True, editable=False)
    sealed_secret = models.CharField(max_length=512, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        db_table = "notify_subscription"

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class Delivery(models.Model):
    """A notification on its way by mail or webhook.

    Its id is in the mail's ``Message-ID`` and is the ``webhook-id``, so that a repeat can be known as one. ``target``
    is whom it goes to: of one target, one delivery is under way at a time. ``queued_at`` is when it was first due, or
    was sent again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notification = models.ForeignKey(Notification, models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel, editable=False)
    subscription = models.ForeignKey(Subscription, models.CASCADE, null=True, editable=False)
    target = models.CharField(max_length=64, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    queued_at = models.DateTimeField(editable=False)
    next_at = models.DateTimeField(editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=MAX_ERROR_CHARACTERS, blank=True, editable=False)

    class Meta:
        db_table = "notify_delivery"
        verbose_name_plural = "deliveries"
        constraints = (models.UniqueConstraint(fields=("notification", "target"), name="notify_delivery_once"),)
        indexes = (
            models.Index(fields=("channel", "next_at"), condition=Q(state="pending"), name="notify_delivery_due"),
            models.Index(fields=("id",), condition=Q(state="dead"), name="notify_delivery_dead"),
            models.Index(fields=("target", "queued_at"), name="notify_delivery_of_target"),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"


class FollowerState(models.Model):
    """The single row that says how far changes have become notifications; each of their writers locks it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    last_feed = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        db_table = "notify_follower_state"
        verbose_name_plural = "follower state"
        constraints = (models.CheckConstraint(condition=Q(id=1), name="notify_follower_state_single"),)

    def __str__(self) -> str:
        return str(self.last_feed)
