"""Names of request spans (see ``kit.traced_asgi``): only Django knows the routes."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry import trace

from kit import traced_asgi


def name_by_route(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Name each request's span after the route that it has taken."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.resolver_match:
            method = request.method or ""
            traced_asgi.name_by_route(trace.get_current_span(), method, f"/{request.resolver_match.route}")
        return response

    return middleware
