"""Changes made by a command of the gateway, on the audit trail: in one transaction with their event."""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
from django.core.management.base import CommandError
from django.db import transaction

from contracts.query_event.command import command_event
from gateway.audit.delivery import event_delivery
from gateway.http.problems import Unavailable


def written(value: object) -> str:
    """Write a value as JSON, as the words of a change have it."""
    return orjson.dumps(value).decode()


@contextmanager
def recorded_changes() -> Iterator[list[str]]:
    """Let a block's changes be durable together with their event, or not at all.

    Yields:
        a list, to which the block adds each change in words, without a secret; an empty one makes no event.

    Raises:
        CommandError: the event cannot be made durable, so nothing was changed.
    """
    changes: list[str] = []
    with transaction.atomic():
        yield changes
        if changes:
            try:
                event_delivery().record(command_event("gateway", "; ".join(changes)), None)
            except (Unavailable, OSError) as error:
                raise CommandError(
                    f"nothing was changed, as the audit trail cannot be written ({error}): "
                    "Kafka does not answer, and GATEWAY_SPOOL_DIR takes no event"
                ) from None
