"""Rate limit by user."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from gateway.http.metrics import THROTTLED
from gateway.http.problems import throttled
from gateway.http.rate_limits import hit

if TYPE_CHECKING:
    # The framework's views read its settings, which name this throttle.
    from rest_framework.views import APIView


class UserThrottle(BaseThrottle):
    """Throttle of known users, from whatever address they ask."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Take one from the user's budget.

        Raises:
            Problem: 429, there is none left.
        """
        del view
        if request.user is not None and request.user.is_authenticated:
            seconds = hit("user", settings.GATEWAY.user_rate, request.user.get_username())
            if seconds:
                THROTTLED.labels("user").inc()
                raise throttled("You", settings.GATEWAY.user_rate, seconds)
        return True
