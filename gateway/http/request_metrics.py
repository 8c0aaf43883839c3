"""Timing of every request, and the text of ``GET /metrics`` over all worker processes.

The workers share them by files in a folder of this start of the gateway (prometheus_client's multiprocess mode).
"""

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.http import metrics_values
from gateway.http.deadline import RECEIVED
from gateway.http.metrics import REQUEST_SECONDS


def measure(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Time every request, by the route that it took and the status of its answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        received = request.META.get(RECEIVED, time.monotonic())
        response = get_response(request)
        # A path that leads nowhere is not a label: there are as many as clients like.
        route = f"/{request.resolver_match.route}" if request.resolver_match else "none"
        REQUEST_SECONDS.labels(route, response.status_code).observe(time.monotonic() - received)
        return response

    return middleware


def exposition() -> bytes:
    """The metrics in Prometheus' text format: of all worker processes together, or of one that shares no folder.

    Counts of other workers in the last ``metrics_values.SECONDS`` may be missing.
    """
    metrics_values.write()
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # comes without types
    except ValueError:
        registry = REGISTRY
    return generate_latest(registry)
