"""Tables of the inventory: types, documents, their changes, and what the relay and repeated requests need.

Why text instead of a JSON column: PostgreSQL's ``jsonb`` changes numbers and the order of members, and nothing looks
into a body by SQL.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from gateway.identity.expiry import ExpiringQuerySet

MAX_NAME_CHARACTERS = 128
"""Of the name of a type, and of a document's id."""


class IndexState(models.TextChoices):  # pylint: disable=too-many-ancestors  # as the framework has it
    """State of a document's last version: on its way to its index, or refused by it."""

    PENDING = "pending"
    REJECTED = "rejected"


class Operation(models.TextChoices):  # pylint: disable=too-many-ancestors  # as above
    """Operation that made a version of a document."""

    CREATE = "create"
    REPLACE = "replace"
    PATCH = "patch"
    DELETE = "delete"
    RESTORE = "restore"
    ERASE = "erase"


class InventoryType(models.Model):
    """A type of documents, as an administrator has declared it.

    ``definition`` is the whole declaration. ``index`` is its alias in Elasticsearch, which no other type has;
    ``physical_index`` is the index that the alias leads to, and ``building_index`` the one that a rebuild fills.
    ``schema_version`` counts the declarations. ``prepared`` says for what these indices have been prepared, so that
    nobody has to ask Elasticsearch.
    """

    name = models.CharField(primary_key=True, max_length=MAX_NAME_CHARACTERS, editable=False)
    definition = models.JSONField(editable=False)
    schema_version = models.PositiveIntegerField(editable=False)
    index = models.CharField(max_length=255, unique=True, editable=False)
    physical_index = models.CharField(max_length=255, editable=False)
    building_index = models.CharField(max_length=255, null=True, editable=False)
    prepared = models.TextField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        db_table = "inventory_type"

    def __str__(self) -> str:
        return self.name


class Document(models.Model):
    """A document as it is now; a deleted one keeps its row without ``body``, so that its versions go on.

    ``tree_version`` counts the writes to the document and to everything below it. ``schema_version`` is that of the
    declaration which the body was checked against.
    """

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)
    document_id = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)
    parent = models.ForeignKey("self", models.PROTECT, null=True, editable=False, related_name="children")
    version = models.PositiveBigIntegerField(editable=False)
    tree_version = models.PositiveBigIntegerField(editable=False)
    body = models.TextField(null=True, editable=False)
    schema_version = models.PositiveIntegerField(editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    index_state = models.CharField(max_length=8, choices=IndexState, default=IndexState.PENDING, editable=False)

    class Meta:
        db_table = "inventory_document"
        constraints = (models.UniqueConstraint(fields=("type", "document_id"), name="inventory_document_name"),)

    def __str__(self) -> str:
        return f"{self.type}/{self.document_id}"


class Reference(models.Model):
    """Reference of a document to another, both by type and id; a deleted document has none."""

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)
    document_id = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)
    target_type = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)
    target_id = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)

    class Meta:
        db_table = "inventory_reference"
        indexes = (
            models.Index(fields=("type", "document_id"), name="inventory_reference_of"),
            models.Index(fields=("target_type", "target_id"), name="inventory_reference_to"),
        )

    def __str__(self) -> str:
        return f"{self.type}/{self.document_id} → {self.target_type}/{self.target_id}"


class Change(models.Model):
    """One version of a document: its outbox row, its history and its audit record at once.

    ``sequence`` is taken by the INSERT, after the locks of the document and of its ancestors, so that changes of one
    tree have the order of their commits. ``feed``, ``partition`` and ``offset`` are the relay's. ``root_type`` and
    ``root_id`` name the tree's root, the key of the record in Kafka. ``changed`` has JSON pointers, and
    ``event_metadata`` what the audit event tells of the request. All changes of one import have its ``import_id``.
    """

    sequence = models.BigAutoField(primary_key=True)
    change_id = models.UUIDField(unique=True, editable=False)
    feed = models.PositiveBigIntegerField(null=True, unique=True, editable=False)
    type = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)
    document_id = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)
    root_type = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)
    root_id = models.CharField(max_length=MAX_NAME_CHARACTERS, editable=False)
    version = models.PositiveBigIntegerField(editable=False)
    op = models.CharField(max_length=8, choices=Operation, editable=False)
    at = models.DateTimeField(editable=False)
    actor = models.CharField(max_length=150, null=True, editable=False)
    request_id = models.CharField(max_length=128, editable=False)
    event_metadata = models.JSONField(editable=False)
    changed = models.JSONField(editable=False)
    import_id = models.UUIDField(null=True, editable=False)
    body = models.TextField(null=True, editable=False)
    partition = models.PositiveIntegerField(null=True, editable=False)
    offset = models.PositiveBigIntegerField(null=True, editable=False)

    class Meta:
        db_table = "inventory_change"
        constraints = (
            models.UniqueConstraint(fields=("type", "document_id", "version"), name="inventory_change_version"),
        )
        indexes = (
            models.Index(fields=("sequence",), condition=Q(feed=None), name="inventory_change_unnumbered"),
            models.Index(fields=("type", "feed"), name="inventory_change_of_type"),
        )

    def __str__(self) -> str:
        return f"{self.type}/{self.document_id} {self.version}"


class RelayState(models.Model):
    """The single row by which relays agree on a leader, and how far it has published.

    ``epoch`` counts the leaders; each statement of one checks it. ``topic_id`` is Kafka's id of the topic, and
    ``positions`` has the offset before which everything is published, by partition.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    holder = models.CharField(max_length=255, null=True, editable=False)
    epoch = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    last_feed = models.PositiveBigIntegerField(default=0, editable=False)
    topic_id = models.CharField(max_length=64, null=True, editable=False)
    positions = models.JSONField(default=dict, editable=False)

    class Meta:
        db_table = "inventory_relay_state"
        verbose_name_plural = "relay state"
        constraints = (models.CheckConstraint(condition=Q(id=1), name="inventory_relay_state_single"),)

    def __str__(self) -> str:
        return f"epoch {self.epoch}"


class IdempotencyKey(models.Model):
    """The answer to a request with ``Idempotency-Key``, for the same request sent again."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="idempotency_keys")
    key = models.CharField(max_length=255, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    status = models.PositiveSmallIntegerField(editable=False)
    headers = models.JSONField(editable=False)
    body = models.TextField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = ExpiringQuerySet.as_manager()

    class Meta:
        db_table = "inventory_idempotency_key"
        constraints = (models.UniqueConstraint(fields=("user", "key"), name="inventory_idempotency_key_of_user"),)

    def __str__(self) -> str:
        return str(self.pk)
