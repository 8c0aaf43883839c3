"""Django as a WSGI application; ``gateway.serving.application`` runs it, a thread a request."""

from collections.abc import Callable
from typing import Any

from django.core.cache import close_caches
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, reset_queries


class _Request(WSGIRequest):
    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        # Django reads the parameters before anything that could answer for an error in them (RFC 8187 has many ways).
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # not in the stubs
        except (ValueError, LookupError, TypeError):
            self.content_type, self.content_params = "", {}


_handler = get_wsgi_application()
_handler.request_class = _Request
# There are no caches and no log of queries, and a connection is looked at before the next request that needs it.
request_started.disconnect(reset_queries)
request_finished.disconnect(close_caches)
request_finished.disconnect(close_old_connections)
application: Callable[[dict[str, Any], Any], Any] = _handler
"""Django's handler; what it returns is Django's response."""
