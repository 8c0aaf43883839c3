"""Base class of all views.

Why: no path has the method OPTIONS. REST framework's description of views would be one more answer to record, and
OpenAPI has all of it. The CORS middleware answers preflight requests before any view.
"""

from typing import Any, ClassVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from gateway.http.endpoints import SMALL_BODY_BYTES

METHODS = ["get", "head", "post", "put", "patch", "delete"]
"""The methods that a path may have. HEAD comes with GET. OPTIONS is not among them: all it could say, the OpenAPI
document says, and a browser's preflight is answered before any view."""


class View(APIView):
    """A view of the API."""

    http_method_names = METHODS
    max_body_bytes: ClassVar[int] = SMALL_BODY_BYTES

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a request, and let go of it.

        In the framework a view knows itself, its request and its response, and those know the view: they, and with them
        the body, would stay in memory until the collector's next round, which counts objects and not their lengths.
        """
        response = super().dispatch(request, *args, **kwargs)
        vars(self).clear()
        return response


class PublicView(View):
    """A view for everybody."""

    authentication_classes = ()
    permission_classes = ()
