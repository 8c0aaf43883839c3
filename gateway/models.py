"""Who is known to the gateway, and what they are reading."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody who may search while active; our own model from the first migration, so that it can grow."""


class OpenCursor(models.Model):
    """A snapshot of an index that a user is reading: Elasticsearch's point in time, and what it is bound to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="cursors")
    binding = models.JSONField(editable=False)
    point_in_time = models.TextField(editable=False)
    started_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return str(self.id)
