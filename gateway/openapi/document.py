"""The OpenAPI document as a whole: what holds for every endpoint, and where it is served."""

from functools import cache
from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import MethodNotAllowed, NotAcceptable, NotAuthenticated, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.base_view import PublicView
from gateway.openapi.answers import PROBLEM, problem_responses
from gateway.point_in_time import ExpiredCursor
from gateway.problems import MEDIA_TYPE, Code, Problem, Unavailable, as_problem, malformed, problem_object
from gateway.stream import MEDIA_TYPE as STREAM

_TEXT = {"schema": {"type": "string"}}

_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {**_TEXT, "description": "The request's own, where that is well formed, or a new one."},
    "X-Query-ID": {**_TEXT, "description": "The id of the stream's audit event."},
    "WWW-Authenticate": {**_TEXT, "description": "The schemes that are taken (RFC 9110, section 11.6.1)."},
    "Allow": {**_TEXT, "description": "The methods that the path takes."},
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds after which it may be tried again."},
}

_HEADER_OF_PROBLEM = {
    str(HTTPStatus.UNAUTHORIZED.value): "WWW-Authenticate",
    str(HTTPStatus.METHOD_NOT_ALLOWED.value): "Allow",
    str(HTTPStatus.TOO_MANY_REQUESTS.value): "Retry-After",
    str(HTTPStatus.SERVICE_UNAVAILABLE.value): "Retry-After",
}

_EXAMPLES = {
    problem.status: problem
    for problem in (
        malformed("size: Ensure this value is less than or equal to 1000."),
        as_problem(NotAuthenticated()),
        Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, 'You may not search the index "salaries".'),
        Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "The index does not exist."),
        as_problem(MethodNotAllowed("DELETE")),
        as_problem(NotAcceptable()),
        ExpiredCursor(),
        Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Code.TOO_LARGE, "The body is larger than 1,048,576 bytes."),
        Problem(
            HTTPStatus.REQUEST_URI_TOO_LONG,
            Code.TOO_LARGE,
            "Path and query string are longer than 16 KiB; send a long query by POST.",
        ),
        as_problem(UnsupportedMediaType("text/plain")),
        Problem(HTTPStatus.TOO_MANY_REQUESTS, Code.THROTTLED, "You have 10 cursors open, which is as many as may be."),
        Problem(HTTPStatus.INTERNAL_SERVER_ERROR, Code.INTERNAL, "The gateway failed; its log says why."),
        Unavailable(Code.SEARCH_UNAVAILABLE, "Elasticsearch cannot be reached; try again."),
    )
}
"""What a problem of each status looks like, where an endpoint has no example of its own."""


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what every answer has: headers, and the schema of a problem (drf-spectacular's POSTPROCESSING_HOOKS)."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    result["components"]["headers"] = _HEADERS
    for path in result["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                _complete_response(status, response)
    return result


def _complete_response(status: str, response: dict[str, Any]) -> None:
    headers = ["X-Request-ID"]
    problem = response.get("content", {}).get(MEDIA_TYPE)
    if problem is not None:
        headers += [_HEADER_OF_PROBLEM[status]] if status in _HEADER_OF_PROBLEM else []
        if "examples" not in problem:
            problem["example"] = problem_object(_EXAMPLES[HTTPStatus(int(status))])
    headers += ["X-Query-ID"] if STREAM in response.get("content", {}) else []
    response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


class StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # untyped hook in __init_subclass__
    """Says of a request body that it has no members but those listed."""

    target_class = "gateway.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """The schema object."""
        # As the library's own extensions do it.
        own = auto_schema._map_serializer  # pylint: disable=protected-access
        schema: dict[str, Any] = own(self.target, direction, bypass_extensions=True)
        return schema | {"additionalProperties": False}


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # it has none
    return document


class DocumentView(PublicView):
    """The OpenAPI document."""

    renderer_classes = (OpenApiYamlRenderer, OpenApiJsonRenderer, OpenApiJsonRenderer2)
    content_negotiation_class = DefaultContentNegotiation

    @extend_schema(
        operation_id="document",
        responses={
            **{
                (200, renderer.media_type): OpenApiResponse({"type": "object"}, "The document.")
                for renderer in renderer_classes
            },
            **problem_responses(405, 406, 429, 500),
        },
    )
    def get(self, request: Request) -> Response:
        """Serve it in YAML, or in JSON to whom accepts that alone."""
        del request
        return Response(_document())
