"""Health, readiness and metrics of the gateway."""

import logging
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Literal

from confluent_kafka import KafkaException
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import TypedDict

from gateway.audit.delivery import EventDelivery, event_delivery
from gateway.http.database_timeout import at_most
from gateway.http.openapi import JSON, Count, described, operation
from gateway.http.request_metrics import exposition
from gateway.http.views import PublicView
from gateway.identity.models import User
from gateway.search import elasticsearch, translator_client
from gateway.serving.settings import ProcessRole
from kit.http_exchange import NoAnswer
from kit.logs import describe

logger = logging.getLogger(__name__)

_operation = partial(operation, group="Health", problems=())
_State = Literal["up", "down"]

PROBE_SECONDS = 1.0
KEPT_SECONDS = 1.0
"""For so long the probes' results are kept: everybody may ask for them, and each probe takes connections."""

_COMMAND_PROBES = ("database", "kafka")
"""Dependencies of a command gateway; the others search too."""

_PLAIN = (KafkaException, LookupError)
"""Errors whose texts are Kafka's or the gateway's own; others quote names and addresses."""
_DOWN = (DatabaseError, KafkaException, LookupError, NoAnswer, OSError)


def _database(timeout: float) -> None:
    with at_most(timeout):
        User.objects.exists()


def _kafka(timeout: float) -> None:
    event_delivery().probe(timeout)


_PROBES: dict[str, Callable[[float], object]] = {
    "database": _database,
    "elasticsearch": elasticsearch.probe,
    "kafka": _kafka,
    "translator": translator_client.probe,
}


class _Dependencies:  # pylint: disable=too-few-public-methods  # it does one thing
    """Results of the last probes; asked for by one thread, that of readiness."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}
        self._probed: tuple[object, ...] = ()
        self._until = 0.0

    def states(self) -> dict[str, _State]:
        """Each dependency, "up" or "down"; probed, unless that was a moment ago."""
        probed = (settings.ELASTICSEARCH, settings.KAFKA, settings.AUDIT, settings.GATEWAY)
        if probed != self._probed or time.monotonic() >= self._until:
            role = settings.GATEWAY.role
            names = _COMMAND_PROBES if role is ProcessRole.COMMAND else tuple(_PROBES)
            self._states = {name: self._state(name, _PROBES[name]) for name in names}
            self._probed, self._until = probed, time.monotonic() + KEPT_SECONDS
        return self._states

    def _state(self, name: str, probe: Callable[[float], object]) -> _State:
        was_down = self._states.get(name) == "down"
        try:
            probe(PROBE_SECONDS)
        except _DOWN as error:
            if not was_down:
                logger.warning("not ready: %s: %s", name, str(error) if isinstance(error, _PLAIN) else describe(error))
            return "down"
        if was_down:
            logger.info("ready again: %s", name)
        return "up"


_dependencies = _Dependencies()


@described
class Health(TypedDict):
    """The process is up."""

    status: Literal["up"]


@described
class Spool(TypedDict):
    """Audit events of this worker that wait on the disk for Kafka."""

    records: Count
    bytes: Count


@described
class Readiness(TypedDict):
    """Requests are answered, unless it is unready."""

    status: Literal["ready", "degraded", "unready"]
    """degraded: Kafka alone is down, and the spool takes the events. unready: something else is down, or the spool has
    no room."""
    dependencies: dict[str, _State]
    spool: Spool


class HealthView(PublicView):
    """The process is up and answers."""

    @_operation("health", Health)
    def get(self, request: Request) -> Response:
        """Check that the process is up."""
        del request
        return Response(Health(status="up"))


class MetricsView(PublicView):
    """Metrics for Prometheus."""

    @_operation(
        "metrics",
        None,
        also={(200, "text/plain"): OpenApiResponse({"type": "string"}, "Prometheus metrics of all workers.")},
    )
    def get(self, request: Request) -> HttpResponse:
        """Get metrics for Prometheus.

        Counts of other workers in the last second may be missing.
        """
        del request
        return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


class ReadinessView(PublicView):
    """The process and everything that its requests need."""

    @_operation(
        "readiness",
        Readiness,
        also={(503, JSON): OpenApiResponse(Readiness, "Something is down without which requests are not answered.")},
    )
    def get(self, request: Request) -> Response:
        """Check that requests are answered.

        Each dependency is probed, at most once a second and for a second; 503 if requests cannot be answered. A command
        gateway needs the database and Kafka alone.
        """
        del request
        dependencies = _dependencies.states()
        trail = event_delivery()
        status = _status([name for name, state in dependencies.items() if state == "down"], trail)
        spool = Spool(records=trail.spool.records, bytes=trail.spool.bytes)
        return Response(
            Readiness(status=status, dependencies=dependencies, spool=spool),
            status=HTTPStatus.SERVICE_UNAVAILABLE if status == "unready" else HTTPStatus.OK,
        )


def _status(down: list[str], trail: EventDelivery) -> Literal["ready", "degraded", "unready"]:
    if not trail.has_room or set(down) - {"kafka"}:
        return "unready"
    return "degraded" if down else "ready"
