"""The WSGI application that the server runs."""

from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application


class _Request(WSGIRequest):
    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        # Django reads the parameters before anything that could answer for an error in them (RFC 8187 has many ways).
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # not in the stubs
        except (ValueError, LookupError, TypeError):
            self.content_type, self.content_params = "", {}


_django = get_wsgi_application()
_django.request_class = _Request


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """Hand a request to Django, a chunked body made readable.

    Django reads as many bytes as Content-Length says, and a chunked request does not say; its end is the server's to
    tell (``wsgi.input_terminated``), so any length does that is more than the largest body taken.
    """
    if "HTTP_TRANSFER_ENCODING" in environ:
        environ["CONTENT_LENGTH"] = str(settings.MAX_BODY_BYTES + 1)
    return _django(environ, start_response)
