"""Sender of a channel's deliveries: several at once, one a target, each until it is taken or given up.

A target that has failed rests, so that one which is down takes no places from the others.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random

from django.db import DatabaseError, connection
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from gateway.inventory.turns import take_turns
from gateway.notify import deliveries
from gateway.notify.metrics import DELIVERIES
from gateway.notify.models import Channel, Delivery
from gateway.notify.outcomes import Permanent, Withdrawn
from gateway.notify.webhooks import Refused
from indexing.backoff import full_jitter
from kit import tracing
from kit.logs import OncePerInterval, describe

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

AT_ONCE = 4
_REST_SECONDS = 300.0
"""The longest that a target rests."""
_IDLE_SECONDS = 0.5
_BUSY_SECONDS = 0.05


class Sender:
    """Sends what is due on a channel.

    Args:
        channel: mail or webhooks.
        send: hands one delivery over, or raises.
    """

    def __init__(self, channel: Channel, send: Callable[[Delivery], None]) -> None:
        self._channel = channel
        self._send = send
        self._random = Random()
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._resting: dict[str, tuple[int, float]] = {}

    def run(self, stopping: threading.Event, leads: Callable[[], bool]) -> None:
        """Send until ``stopping`` is set, while this worker leads; what is under way then ends first."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"send-{self._channel}") as threads:
            take_turns(
                lambda: self.turn(threads),
                stopping,
                leads,
                logger=logger,
                trouble="nothing is delivered, and nothing lost, until this is mended",
                idle=_IDLE_SECONDS,
                busy=_BUSY_SECONDS,
            )

    def turn(self, threads: ThreadPoolExecutor) -> bool:
        """Begin to send as much as there is room for; whether anything is under way."""
        with self._lock:
            room = AT_ONCE - len(self._busy)
            excluded = self._busy | self._at_rest()
        if room:
            for delivery in deliveries.claim(self._channel, room, excluded, datetime.now(UTC)):
                with self._lock:
                    self._busy.add(delivery.target)
                threads.submit(self._work, delivery)
        return len(self._busy) > 0

    def _at_rest(self) -> set[str]:
        now = time.monotonic()
        return {target for target, (_, until) in self._resting.items() if until > now}

    def _work(self, claimed: Delivery) -> None:
        try:
            attributes = {"messaging.message.id": str(claimed.pk)}
            with tracing.span(f"deliver {self._channel}", SpanKind.CLIENT, attributes, parent=Context()) as span:
                outcome = self._try(claimed)
                if outcome not in ("sent", "withdrawn"):
                    tracing.fail(span, outcome)
            DELIVERIES.labels(self._channel, outcome).inc()
        except DatabaseError as error:
            # It is due again when its claim ends.
            logger.error("what became of a delivery could not be noted: %s", describe(error))
        finally:
            connection.close()
            with self._lock:
                self._busy.discard(claimed.target)

    def _try(self, claimed: Delivery) -> str:
        """Send one delivery, and note what became of it; the outcome."""
        delivery = deliveries.read(claimed.pk)
        if delivery is None:
            return "withdrawn"
        try:
            self._send(delivery)
        except DatabaseError:
            raise
        except Withdrawn:
            delivery.delete()
            return "withdrawn"
        except Permanent as error:
            deliveries.given_up(delivery.pk, str(error), datetime.now(UTC))
            return "dead"
        except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # whatever a mail service does
            reason = str(error) if isinstance(error, Refused) else error.__class__.__name__
            logger.warning("a delivery by %s has failed, and is tried again: %s", self._channel, reason)
            self._let_rest(delivery.target)
            return "dead" if deliveries.failed(delivery, reason, datetime.now(UTC), self._random) else "failed"
        deliveries.sent(delivery.pk, datetime.now(UTC))
        with self._lock:
            self._resting.pop(delivery.target, None)
        return "sent"

    def _let_rest(self, target: str) -> None:
        with self._lock:
            failures = self._resting.get(target, (0, 0.0))[0] + 1
            rest = full_jitter(failures, self._random, base=deliveries.FIRST_SECONDS / 2, cap=_REST_SECONDS)
            self._resting[target] = failures, time.monotonic() + rest
