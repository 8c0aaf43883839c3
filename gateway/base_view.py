"""Base class of all views.

Why: no path has the method OPTIONS. REST framework's description of views would be one more answer to record, and
OpenAPI has all of it. The CORS middleware answers preflight requests before any view.
"""

from rest_framework.views import APIView

METHODS = ["get", "head", "post", "delete"]
"""The methods that a path may have. HEAD comes with GET. OPTIONS is none of them: what it could say, the OpenAPI
document says, and a browser's preflight is answered before any view."""


class View(APIView):
    """A view of the API."""

    http_method_names = METHODS


class PublicView(View):
    """A view for everybody."""

    authentication_classes = ()
    permission_classes = ()
