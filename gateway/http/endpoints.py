"""Properties of endpoints that are needed before a request is read: limit of the body, and credentials."""

from functools import cache

from django.conf import settings
from django.urls import Resolver404, get_resolver, resolve

SMALL_BODY_BYTES = 4 * 1024
"""The largest body of an endpoint that takes no query."""
FORMS = "/admin/"
"""Beginning of the paths that take forms."""
_FORM_BYTES = 64 * 1024


def body_limit(path: str) -> int:
    """Return the limit of a body's length in bytes at a path.

    Args:
        path: the request's, decoded.
    """
    if path.startswith(FORMS):
        return _FORM_BYTES
    limit: int = getattr(_view(path), "max_body_bytes", SMALL_BODY_BYTES)
    return limit


def needs_credentials(path: str) -> bool:
    """Whether the endpoint at a path answers those alone who show credentials in a header."""
    return bool(getattr(_view(path), "authentication_classes", ()))


def streams_body(path: str) -> bool:
    """Whether the endpoint at a path reads its body part by part, however long it is."""
    return bool(getattr(_view(path), "streams_body", False))


def _view(path: str) -> type | None:
    """The view at a path."""
    found = _views(settings.ROOT_URLCONF).get(path)
    if found is None:
        try:
            found = getattr(resolve(path).func, "view_class", None)
        except Resolver404:
            return None
    return found


@cache
def _views(urls: str) -> dict[str, type]:
    """The views by their paths; those whose paths have parameters are not found here."""
    callbacks = {f"/{each.pattern}": getattr(each, "callback", None) for each in get_resolver(urls).url_patterns}
    views = {path: getattr(callback, "view_class", None) for path, callback in callbacks.items()}
    return {path: view for path, view in views.items() if view is not None}
