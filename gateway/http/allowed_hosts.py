"""Middleware that refuses unknown ``Host`` headers."""

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

WATCHED = frozenset(("/healthz", "/readyz", "/metrics"))
"""Health and metrics paths, which are never throttled and take any ``Host``."""


class HeldToHosts(CommonMiddleware):
    """Middleware that refuses hosts outside ``GATEWAY_ALLOWED_HOSTS``, except on health and metrics paths.

    A probe of Kubernetes or Prometheus asks for the address of the process, which nobody knows beforehand, and nothing
    in its answer depends on the name.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """Refuse an unknown host."""
        return None if request.path_info in WATCHED else super().process_request(request)
