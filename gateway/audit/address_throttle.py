"""Rate limit by client address, whose refusals are on the audit trail."""

import math
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from gateway.audit.draft import EventDraft
from gateway.audit.recording import refuse_unknown
from gateway.audit.views import AuditedView
from gateway.http.allowed_hosts import WATCHED
from gateway.http.client_address import neighbourhood
from gateway.http.metrics import THROTTLED
from gateway.http.problems import Code, Problem, problem_response, throttled
from gateway.http.rate_limits import hit

REFUSED = "sluice.refused"
"""The key in the WSGI environment of the problem for which a request's body has not been read."""

_MAX_REFUSED = 10_000

# When an address that has asked too often may ask again, by ``time.monotonic``.
_refused_until: dict[str, float] = {}


def refusal(place: str) -> Problem | None:
    """The problem of an address that has just been refused, and has to wait still; takes nothing from its budget.

    Args:
        place: the address's neighbourhood.
    """
    until = _refused_until.get(place, 0.0)
    seconds = math.ceil(until - time.monotonic())
    if seconds > 0:
        return throttled("Your address", settings.GATEWAY.address_rate, seconds)
    _refused_until.pop(place, None)
    return None


def throttle_addresses(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Refuse an address that asks too often, before anybody looks at who it is."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in WATCHED:
            problem = _take(neighbourhood(request.META["REMOTE_ADDR"])) or request.META.get(REFUSED)
            if problem is not None:
                if problem.code is Code.THROTTLED:
                    THROTTLED.labels("address").inc()
                view = _recorded_view(request.path_info)
                if view is None:
                    return problem_response(problem)
                return refuse_unknown(EventDraft.begin(request, None, view.subject), problem)
        return get_response(request)

    return middleware


def _take(place: str) -> Problem | None:
    seconds = hit("address", settings.GATEWAY.address_rate, place)
    if not seconds:
        return None
    if len(_refused_until) >= _MAX_REFUSED:
        _refused_until.clear()
    _refused_until[place] = time.monotonic() + seconds
    return throttled("Your address", settings.GATEWAY.address_rate, seconds)


def _recorded_view(path: str) -> type[AuditedView] | None:
    """The view that a request was for, if its answers are on the audit trail."""
    try:
        view = getattr(resolve(path).func, "view_class", None)
    except Resolver404:
        return None
    return view if isinstance(view, type) and issubclass(view, AuditedView) else None
