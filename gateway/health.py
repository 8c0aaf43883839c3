"""Whether the process runs, and whether what it depends on does."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus

from confluent_kafka import KafkaException
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from elastic_transport import TransportError
from elasticsearch import ApiError
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.request import Request
from rest_framework.response import Response
from urllib3.exceptions import HTTPError

from elastic.logs import describe
from gateway import search, translator
from gateway.audit import AuditTrail, audit_trail
from gateway.base_view import PublicView
from gateway.database_limit import at_most
from gateway.exposition import exposition
from gateway.models import User
from gateway.openapi.answers import problem_responses
from gateway.openapi.health import HEALTH, READINESS

logger = logging.getLogger(__name__)

PROBE_SECONDS = 1.0
KEPT_SECONDS = 1.0
"""For so long the probes' results are good for whoever asks next: everybody may, and each takes connections."""

_PLAIN = (KafkaException, LookupError)
"""Whose words are Kafka's or the gateway's own; others' quote names and addresses."""
_DOWN = (DatabaseError, KafkaException, LookupError, TransportError, ApiError, HTTPError, OSError)


def _database(timeout: float) -> None:
    with at_most(timeout):
        User.objects.exists()


def _kafka(timeout: float) -> None:
    audit_trail().probe(timeout)


_PROBES: dict[str, Callable[[float], object]] = {
    "database": _database,
    "elasticsearch": search.probe,
    "kafka": _kafka,
    "translator": translator.probe,
}


class _Dependencies:  # pylint: disable=too-few-public-methods  # it does one thing
    """What the last probes have found; asked by one thread, that of readiness."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._probed: tuple[object, ...] = ()
        self._until = 0.0

    def states(self) -> dict[str, str]:
        """Each dependency, "up" or "down"; probed, unless that was a moment ago."""
        probed = (settings.ELASTICSEARCH, settings.KAFKA, settings.AUDIT, settings.GATEWAY)
        if probed != self._probed or time.monotonic() >= self._until:
            self._states = {name: self._state(name, probe) for name, probe in _PROBES.items()}
            self._probed, self._until = probed, time.monotonic() + KEPT_SECONDS
        return self._states

    def _state(self, name: str, probe: Callable[[float], object]) -> str:
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


class HealthView(PublicView):
    """The process is up and answers."""

    @extend_schema(
        operation_id="health",
        responses={
            (200, "application/json"): OpenApiResponse(HEALTH, "The process is up."),
            **problem_responses(405, 500),
        },
    )
    def get(self, request: Request) -> Response:
        """Answer, whatever else is down."""
        del request
        return Response({"status": "up"})


class MetricsView(PublicView):
    """What Prometheus scrapes."""

    @extend_schema(
        operation_id="metrics",
        responses={
            (200, "text/plain"): OpenApiResponse({"type": "string"}, "Prometheus metrics of all workers."),
            **problem_responses(405, 500),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Count and time what all workers do."""
        del request
        return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


class ReadinessView(PublicView):
    """The process and everything that a search needs."""

    @extend_schema(
        operation_id="readiness",
        responses={
            (200, "application/json"): OpenApiResponse(READINESS, "Searches are answered."),
            (503, "application/json"): OpenApiResponse(READINESS, "Something is down without which they are not."),
            **problem_responses(405, 500),
        },
    )
    def get(self, request: Request) -> Response:
        """Probe each dependency, at most a second each and once a second; 503 if searches cannot be answered."""
        del request
        dependencies = _dependencies.states()
        trail = audit_trail()
        status = _status([name for name, state in dependencies.items() if state == "down"], trail)
        return Response(
            {
                "status": status,
                "dependencies": dependencies,
                "spool": {"records": trail.spool.records, "bytes": trail.spool.bytes},
            },
            status=HTTPStatus.SERVICE_UNAVAILABLE if status == "unready" else HTTPStatus.OK,
        )


def _status(down: list[str], trail: AuditTrail) -> str:
    if not trail.has_room or set(down) - {"kafka"}:
        return "unready"
    return "degraded" if down else "ready"
