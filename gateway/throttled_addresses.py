"""How many requests an address may make."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from gateway.address import neighbourhood
from gateway.metrics import THROTTLED
from gateway.problems import problem_response, throttled
from gateway.rates import take
from gateway.record import QueryRecord
from gateway.recorded_view import RecordedView
from gateway.trail import refuse_unknown

WATCHED = frozenset(("/healthz", "/readyz", "/metrics"))
"""What those ask who watch over the gateway, and never too often."""


def throttle_addresses(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Refuse an address that asks too often, before anybody looks at who it is."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in WATCHED:
            seconds = take("address", settings.GATEWAY.address_rate, neighbourhood(request.META["REMOTE_ADDR"]))
            if seconds:
                THROTTLED.labels("address").inc()
                problem = throttled("Your address", settings.GATEWAY.address_rate, seconds)
                view = _recorded_view(request.path_info)
                if view is None:
                    return problem_response(problem)
                return refuse_unknown(QueryRecord.begin(request, None, authentication=view.authentication), problem)
        return get_response(request)

    return middleware


def _recorded_view(path: str) -> type[RecordedView] | None:
    """The view that a request was for, if its answers are on the audit trail."""
    try:
        view = getattr(resolve(path).func, "view_class", None)
    except Resolver404:
        return None
    return view if isinstance(view, type) and issubclass(view, RecordedView) else None
