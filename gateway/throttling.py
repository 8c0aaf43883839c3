"""How many requests a user and an address may make."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from gateway.address import neighbourhood
from gateway.metrics import THROTTLED
from gateway.problems import problem_response, throttled
from gateway.rates import take

if TYPE_CHECKING:
    # The framework's views read its settings, which name the throttle below.
    from rest_framework.views import APIView

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
                return problem_response(throttled("Your address", settings.GATEWAY.address_rate, seconds))
        return get_response(request)

    return middleware


class UserThrottle(BaseThrottle):
    """Refuses a known user who asks too often, from wherever."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Take one from the user's budget.

        Raises:
            Problem: 429, there is none left.
        """
        del view
        if request.user is not None and request.user.is_authenticated:
            seconds = take("user", settings.GATEWAY.user_rate, request.user.get_username())
            if seconds:
                THROTTLED.labels("user").inc()
                raise throttled("You", settings.GATEWAY.user_rate, seconds)
        return True
