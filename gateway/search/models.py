"""Snapshots that users are reading."""

import uuid

from django.conf import settings
from django.db import models

from gateway.identity.expiry import ExpiringQuerySet


class OpenCursor(models.Model):
    """A snapshot of an index that a user is reading: Elasticsearch's point in time, and what it is bound to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="cursors")
    binding = models.JSONField(editable=False)
    point_in_time = models.TextField(editable=False)
    started_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = ExpiringQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "cursors"

    def __str__(self) -> str:
        return str(self.id)
