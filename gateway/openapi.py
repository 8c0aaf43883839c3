"""The OpenAPI document as a whole: what holds for every endpoint, and where it is served."""

from functools import cache
from http import HTTPStatus
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.utils import OpenApiResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.http.openapi import PROBLEMS, ProblemObject, operation, schema_of
from gateway.http.problems import MEDIA_TYPE, Problem, problem_object
from gateway.http.views import PublicView
from gateway.search.notices import MAX_HEADER_CHARACTERS
from gateway.search.streams import MEDIA_TYPE as STREAM

_HEADERS = {
    "X-Request-ID": "The request's own, where that is well formed, or a new one.",
    "X-Query-ID": "The id of the stream's audit event.",
    "X-Query-Notices": f"Notices as a JSON array in ASCII; those that fit into {MAX_HEADER_CHARACTERS:,} characters.",
    "WWW-Authenticate": "The schemes that are taken (RFC 9110, section 11.6.1).",
    "Allow": "The methods that the path takes.",
    "Retry-After": "Seconds after which it may be tried again.",
}
_HEADER_OF_PROBLEM = {"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After", "503": "Retry-After"}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what every operation and answer has: summary, headers, the schema of a problem.

    One of drf-spectacular's POSTPROCESSING_HOOKS.
    """
    result["components"]["schemas"]["Problem"] = schema_of(ProblemObject)
    result["components"]["headers"] = {
        name: {"schema": {"type": "integer" if name == "Retry-After" else "string"}, "description": description}
        for name, description in _HEADERS.items()
    }
    for path in result["paths"].values():
        for described in path.values():
            summary, _, description = described.pop("description").partition("\n")
            described |= {"summary": summary.rstrip("."), "description": description.strip()}
            for status, response in described["responses"].items():
                _complete_response(status, response)
    return result


def _complete_response(status: str, response: dict[str, Any]) -> None:
    headers = ["X-Request-ID"]
    problem = response.get("content", {}).get(MEDIA_TYPE)
    if problem is not None:
        headers += [_HEADER_OF_PROBLEM[status]] if status in _HEADER_OF_PROBLEM else []
        if "examples" not in problem:
            code, detail = PROBLEMS[int(status)]
            problem["example"] = problem_object(Problem(HTTPStatus(int(status)), code, detail))
    headers += ["X-Query-ID", "X-Query-Notices"] if STREAM in response.get("content", {}) else []
    response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # it has none
    return document


_RENDERERS = (OpenApiYamlRenderer, OpenApiJsonRenderer, OpenApiJsonRenderer2)


class DocumentView(PublicView):
    """The OpenAPI document."""

    renderer_classes = _RENDERERS
    content_negotiation_class = DefaultContentNegotiation

    @operation(
        "document",
        None,
        group="Health",
        problems=(406, 429),
        also={(200, each.media_type): OpenApiResponse({"type": "object"}, "The document.") for each in _RENDERERS},
    )
    def get(self, request: Request) -> Response:
        """Get the OpenAPI document.

        In YAML, or in JSON to whom accepts that alone.
        """
        del request
        return Response(_document())
