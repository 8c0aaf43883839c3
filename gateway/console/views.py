"""``GET /``: the page of the console."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from gateway.http.views import PublicView

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
"""The content policy of the page (CSP level 3). Nothing is inline, nothing comes from another origin, and no text can
become markup or a script: ``trusted-types 'none'`` allows no exception."""
PAGE = Path(__file__).with_name("page.html")
STATIC = Path(__file__).with_name("static")


class PageView(PublicView):
    """The page of the console, for everybody: it shows nothing before a log-in."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Get the page."""
        del request
        return HttpResponse(_page(), headers={"Content-Security-Policy": policy(), "Cache-Control": "no-cache"})


def policy() -> str:
    """The content policy, with the one address of live sockets where that is not the page's own origin."""
    live_url = settings.GATEWAY.live_url
    return POLICY if live_url is None else POLICY.replace("connect-src 'self'", f"connect-src 'self' {live_url}")


@cache
def _page() -> bytes:
    return PAGE.read_bytes()
