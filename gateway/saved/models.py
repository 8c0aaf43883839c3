"""Tables of saved searches and collections: what is kept, with whom it is shared, who watches it, and their events."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from gateway.identity.models import User
from gateway.notify.models import new_id

MAX_TITLE_CHARACTERS = 200
MAX_PROBLEM_CHARACTERS = 500


class Kind(models.TextChoices):  # pylint: disable=too-many-ancestors  # as the framework has it
    """Kind of what is kept."""

    SEARCH = "search"
    COLLECTION = "collection"


class Visibility(models.TextChoices):  # pylint: disable=too-many-ancestors  # as above
    """Viewers besides the owner: nobody, the users that are named, or everyone."""

    ME = "me"
    USERS = "users"
    EVERYONE = "everyone"


class ShareRole(models.TextChoices):  # pylint: disable=too-many-ancestors  # as above
    """Rights of a user: to read it, to change it too, or to share and delete it too."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"


def keep_shared(collector: Any, field: Any, sub_objs: Any, using: Any) -> None:
    """Delete with their owner the ones that nobody else saw; the others lose their owner, for administrators to find.

    An ``on_delete`` of Django's.
    """
    models.CASCADE(collector, field, sub_objs.filter(visibility=Visibility.ME), using)
    models.SET_NULL(collector, field, sub_objs.exclude(visibility=Visibility.ME), using)


class SavedQuerySet(models.QuerySet["Saved"]):
    """Saved searches and collections, as far as a user sees them."""

    def seen_by(self, user: User) -> "SavedQuerySet":
        """Items that the user has, or that are shared with them; ``shared_as`` is the role of one who is named."""
        share = Share.objects.filter(saved=OuterRef("pk"), user=user)
        everyone = Q(visibility=Visibility.EVERYONE)
        return self.annotate(shared_as=Subquery(share.values("role")[:1])).filter(
            Q(owner=user) | everyone | Exists(share)
        )

    def orphaned(self) -> "SavedQuerySet":
        """Items that users had shared who are deleted now."""
        return self.filter(owner=None).annotate(shared_as=models.Value(None, models.CharField(null=True)))


class Saved(models.Model):
    """A saved search, or a collection.

    ``content`` of a search has query, index, columns and sort; that of a collection the ids of its searches, in their
    order. An id stays there when its search is deleted: whoever sees the collection need not see each search anyway.
    ``version`` counts the changes.

    Why one table: the two differ in their content alone.
    """

    GOES_WITH_USER = Q(visibility=Visibility.ME)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=Kind, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, keep_shared, null=True, related_name="saved")
    title = models.CharField(max_length=MAX_TITLE_CHARACTERS, editable=False)
    description = models.TextField(blank=True, editable=False)
    content = models.JSONField(editable=False)
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.ME, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = SavedQuerySet.as_manager()

    class Meta:
        db_table = "saved_item"
        verbose_name_plural = "saved searches and collections that nobody else sees"
        indexes = (models.Index(fields=("kind", "owner"), name="saved_item_of_owner"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Share(models.Model):
    """A user with whom something is shared by name."""

    id = models.BigAutoField(primary_key=True)
    saved = models.ForeignKey(Saved, models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="shares")
    role = models.CharField(max_length=6, choices=ShareRole, editable=False)

    class Meta:
        db_table = "saved_share"
        constraints = (models.UniqueConstraint(fields=("saved", "user"), name="saved_share_once"),)

    def __str__(self) -> str:
        return f"{self.role} of {self.saved_id}"


class Watch(models.Model):
    """A user's wish to be told when a saved search finds other documents.

    ``interval`` is in seconds. ``hashes`` has eight bytes of each document that was found last, and ``basis`` says by
    which query and index; None before the first look. ``index_state`` says how the index was then, and ``uses_now``
    whether the query finds others as time goes by. ``problem`` is why the last look found nothing, for people.
    """

    id = models.BigAutoField(primary_key=True)
    saved = models.ForeignKey(Saved, models.CASCADE, related_name="watches")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="watches")
    interval = models.PositiveIntegerField(editable=False)
    next_at = models.DateTimeField(db_index=True, editable=False)
    looked_at = models.DateTimeField(null=True, editable=False)
    basis = models.CharField(max_length=64, null=True, editable=False)
    index_state = models.CharField(max_length=64, blank=True, editable=False)
    uses_now = models.BooleanField(default=False, editable=False)
    hashes = models.BinaryField(default=bytes, editable=False)
    problem = models.CharField(max_length=MAX_PROBLEM_CHARACTERS, blank=True, editable=False)

    class Meta:
        db_table = "saved_watch"
        verbose_name_plural = "watches"
        constraints = (models.UniqueConstraint(fields=("saved", "user"), name="saved_watch_once"),)

    def __str__(self) -> str:
        return f"watch of {self.saved_id}"


class OutboxEvent(models.Model):
    """An event that is on its way to the audit trail, in the transaction of what it tells of; gone once it is there."""

    id = models.UUIDField(primary_key=True, editable=False)
    event = models.TextField(editable=False)
    at = models.DateTimeField(editable=False)

    class Meta:
        db_table = "saved_outbox"

    def __str__(self) -> str:
        return str(self.pk)
