"""Rate limits by user."""

from typing import TYPE_CHECKING, ClassVar

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

    budget: ClassVar = "user"

    @property
    def rate(self) -> str:
        """Rate of each user."""
        rate: str = settings.GATEWAY.user_rate
        return rate

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Take one from the user's budget.

        Raises:
            Problem: 429, the budget is used up.
        """
        del view
        if request.user is not None and request.user.is_authenticated:
            seconds = hit(self.budget, self.rate, request.user.get_username())
            if seconds:
                THROTTLED.labels(self.budget).inc()
                raise throttled("You", self.rate, seconds)
        return True


class TypingThrottle(UserThrottle):
    """Throttle of what is asked while a user types, so that typing takes nothing from searches."""

    budget = "typing"

    @property
    def rate(self) -> str:
        """Rate of each user."""
        rate: str = settings.GATEWAY.typing_rate
        return rate
