"""Rows that are good for a time."""

from datetime import datetime
from typing import Any

from django.db import models


class ExpiringQuerySet(models.QuerySet[Any]):
    """Rows that are good until their ``expires_at``."""

    def delete_expired(self, now: datetime) -> None:
        """Delete expired rows, except rows that another transaction holds: waiting for these leads to deadlocks."""
        expired = self.select_for_update(skip_locked=True).filter(expires_at__lte=now)
        self.filter(pk__in=expired.values("pk")).delete()
