"""Lease by which processes agree on the one that leads: a row, with an epoch that counts the leaders.

Time only decides when another may take over. What keeps a leader that was paused from doing anything is the epoch: each
of its transactions holds the row in its own epoch first, and fails where another has come.
"""

import time
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from gateway.inventory.models import RelayState

LEASE_SECONDS = 10.0
_RENEW_SECONDS = 3.0


class Superseded(Exception):
    """Another process leads."""


class Lease:
    """The lease of one process.

    Args:
        holder: name of the process, which no other has.
        seconds: how long it is valid without being renewed.
    """

    def __init__(self, holder: str, seconds: float = LEASE_SECONDS) -> None:
        self._holder = holder[:255]
        self._length = timedelta(seconds=seconds)
        self._renew_after = min(_RENEW_SECONDS, seconds / 3)
        self._epoch: int | None = None
        self._renewed = 0.0

    @property
    def is_held(self) -> bool:
        """Whether this process leads, as far as it knows."""
        return self._epoch is not None

    def acquire(self) -> bool:
        """Take the lease if nobody else has it; whether this process leads afterwards."""
        RelayState.objects.get_or_create(pk=1)
        now = datetime.now(UTC)
        free = Q(lease_until=None) | Q(lease_until__lt=now) | Q(holder=self._holder)
        with transaction.atomic():
            taken = RelayState.objects.filter(free, pk=1).update(
                holder=self._holder, epoch=F("epoch") + 1, lease_until=now + self._length
            )
            if taken:
                self._epoch = RelayState.objects.values_list("epoch", flat=True).get(pk=1)
                self._renewed = time.monotonic()
        return bool(taken)

    def renew(self) -> None:
        """Prolong the lease when it is time to.

        Raises:
            Superseded: another process has it.
        """
        if time.monotonic() - self._renewed < self._renew_after:
            return
        self.hold()
        self._renewed = time.monotonic()

    def hold(self) -> None:
        """Hold the row until the transaction of the caller ends, so that nobody takes over meanwhile; prolongs it.

        Raises:
            Superseded: another process leads.
        """
        held = RelayState.objects.filter(pk=1, epoch=-1 if self._epoch is None else self._epoch)
        if not held.update(lease_until=datetime.now(UTC) + self._length):
            self._epoch = None
            raise Superseded

    def drop(self) -> None:
        """Forget the lease, to take it anew: after a failure nobody knows what the database has."""
        self._epoch = None

    def release(self) -> None:
        """Give the lease back, so that another process need not wait for its end."""
        if self._epoch is not None:
            RelayState.objects.filter(pk=1, epoch=self._epoch).update(lease_until=None)
            self._epoch = None
