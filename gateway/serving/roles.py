"""Sides of the gateway: a process answers what its role, ``GATEWAY_ROLE``, has for it.

The command side writes: it logs people in and changes the inventory. The query side searches and reads. So many query
gateways can stand beside one command gateway, with a database user that can write next to nothing, and each side goes
on while the other is down. The edge (``deploy/nginx/nginx.conf``) routes by the same rule.

Why 421: the request is right and came to the wrong server (RFC 9110, section 15.5.20). A 404 would say that there is
nothing at the path, and a redirect would name a server that clients do not reach.
"""

import re
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway.http.allowed_hosts import WATCHED
from gateway.http.problems import Code, Problem, problem_response
from gateway.serving.settings import ProcessRole

_OF_EACH = re.compile(r"/(?:docs|schema|static)/")
_COMMANDS = re.compile(r"/(?:auth|oauth|admin|api/token)/")
_WRITTEN = re.compile(
    r"/(?:inventory|inventory-types|searches|collections|subscriptions|deliveries|notifications)(?:/|\Z)"
)
_WRITES = frozenset(("PUT", "PATCH", "DELETE", "POST"))


def side_of(method: str, path: str) -> ProcessRole:
    """The side that a request is for; ``ALL`` if each answers it."""
    if path in WATCHED or _OF_EACH.match(path):
        return ProcessRole.ALL
    if _COMMANDS.match(path) or (method in _WRITES and _WRITTEN.match(path)):
        return ProcessRole.COMMAND
    return ProcessRole.QUERY


def hold_to_role(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Refuse requests that are for the other side."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        side = side_of(request.method or "", request.path_info)
        if side in (ProcessRole.ALL, settings.GATEWAY.role):
            return get_response(request)
        return problem_response(
            Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                Code.MISDIRECTED,
                f"This is a {settings.GATEWAY.role} gateway, and the request is for a {side} gateway; send it to the "
                "edge, which routes it, or start this one with GATEWAY_ROLE=all.",
            )
        )

    return middleware
