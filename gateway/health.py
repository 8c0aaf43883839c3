"""Whether the process runs, and whether what it depends on does."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from confluent_kafka import KafkaException
from django.db import DatabaseError
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from elastic_transport import TransportError
from elasticsearch import ApiError
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.request import Request
from rest_framework.response import Response
from urllib3.exceptions import HTTPError

from gateway import search, translator
from gateway.audit import AuditTrail, audit_trail
from gateway.base_view import PublicView
from gateway.exposition import exposition
from gateway.models import User
from gateway.openapi.answers import problem_responses
from gateway.openapi.health import HEALTH, READINESS

logger = logging.getLogger(__name__)

PROBE_SECONDS = 1.0

_DOWN = (DatabaseError, KafkaException, LookupError, TransportError, ApiError, HTTPError, OSError)


def _database(_timeout: float) -> None:
    User.objects.exists()


def _kafka(timeout: float) -> None:
    audit_trail().probe(timeout)


_PROBES: dict[str, Callable[[float], None]] = {
    "database": _database,
    "elasticsearch": search.probe,
    "kafka": _kafka,
    "translator": translator.probe,
}


def _is_up(name: str, probe: Callable[[float], None]) -> bool:
    try:
        probe(PROBE_SECONDS)
    except _DOWN as error:
        logger.warning("not ready: %s: %s", name, error)
        return False
    return True


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
        """Probe each dependency, at most a second each; 503 if searches cannot be answered."""
        del request
        dependencies = {name: "up" if _is_up(name, probe) else "down" for name, probe in _PROBES.items()}
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
    if not down:
        return "ready"
    return "degraded" if down == ["kafka"] and trail.works_without_kafka else "unready"
