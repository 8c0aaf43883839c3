"""OpenAPI of the endpoints, made from the serializers of their requests and the types of their answers.

Why: an answer's type is a TypedDict, so that mypy holds a view to it, and an answer is written as it stands. pydantic
knows how such a type looks in JSON Schema.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Annotated, Any, NotRequired, TypeVar

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.plumbing import ComponentIdentity, ResolvedComponent
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from pydantic import ConfigDict, Field, TypeAdapter, WithJsonSchema, with_config
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict, is_typeddict

from gateway.http.fields import StrictSerializer
from gateway.http.problems import MEDIA_TYPE, Code, RejectedQuery, problem_object

described = with_config(ConfigDict(use_attribute_docstrings=True))
"""Decorator of an answer's type: the text below a member describes it."""
Count = Annotated[int, Field(ge=0)]

JSON = "application/json"
KNOWN = (401, 429, 503)
"""Problems of an endpoint for known callers."""
INDEX = (403, 404)
"""Problems of an endpoint that reads an index."""
_EVERY = (405, 500)
_BODY = (400, 413, 415)

PROBLEMS = {
    400: (Code.MALFORMED, "The request is malformed, or its query is rejected; then with position and caret."),
    401: (Code.UNAUTHENTICATED, "No or bad credentials; see WWW-Authenticate."),
    403: (Code.FORBIDDEN, "You may not search this index, or not do this."),
    404: (Code.NOT_FOUND, "The index, the type, the document or the version does not exist."),
    405: (Code.MALFORMED, "The path does not take this method; see Allow."),
    406: (Code.MALFORMED, "The document is in YAML and JSON; Accept names neither."),
    409: (Code.CURSOR_EXPIRED, "The snapshot behind the cursor is gone; or documents are in the way of the write."),
    410: (Code.GONE, "The document has been deleted."),
    412: (Code.PRECONDITION_FAILED, "The document has another version; see ETag."),
    413: (
        Code.TOO_LARGE,
        "The body is larger than its path takes: 1 MiB for a query, 256 KiB for a document, or 4 KiB.",
    ),
    414: (Code.TOO_LARGE, "Path and query string exceed 16 KiB, which the edge answers; send a long query by POST."),
    415: (Code.UNSUPPORTED_MEDIA_TYPE, "The body is not JSON in UTF-8."),
    422: (Code.DOCUMENT_INVALID, "The document is invalid, or the Idempotency-Key is that of another request."),
    428: (Code.PRECONDITION_REQUIRED, "The document is there; send If-Match with its ETag."),
    429: (Code.THROTTLED, "You, or your address, ask too often, or have too many cursors or streams; see Retry-After."),
    500: (Code.INTERNAL, "The gateway failed."),
    503: (Code.SEARCH_UNAVAILABLE, "Translator, Elasticsearch or audit trail are down; see Retry-After."),
}
"""Meaning of a problem of each status, with the code of its example."""
_REFERENCE = {"$ref": "#/components/schemas/Problem"}


@described
class ProblemObject(TypedDict):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    """The fault, its place, and its remedy."""
    code: Annotated[Code, WithJsonSchema({"type": "string", "enum": [code.value for code in Code]})]
    query_id: NotRequired[Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]]
    """The id of the audit event."""
    position: NotRequired[int]
    """The beginning of the mistake, in characters from 0."""
    end: NotRequired[int]
    line: NotRequired[int]
    """From 1."""
    column: NotRequired[int]
    """From 1."""
    caret: NotRequired[str]
    """The mistake underlined."""
    suggestions: NotRequired[list[str]]
    errors: NotRequired[list[dict[str, Any]]]
    """Up to twenty places of an invalid document: pointer, keyword, detail."""
    count: NotRequired[int]
    """Documents that a new schema does not allow."""
    documents: NotRequired[list[dict[str, Any]]]
    """The first twenty of these."""
    ticket: NotRequired[str]
    """For the second step of a log-in."""
    enrolled: NotRequired[bool]
    """Whether the account has a second factor yet."""


REJECTION = problem_object(
    RejectedQuery(
        Code.UNKNOWN_FIELD,
        'unknown field "Hostnme"; did you mean "Hostname"?',
        {"position": 0, "end": 7, "line": 1, "column": 1, "caret": "Hostnme = a\n^^^^^^^", "suggestions": ["Hostname"]},
    )
)
"""Example of a problem with a place."""
_View = TypeVar("_View", bound=Callable[..., Any])


def operation(  # pylint: disable=too-many-arguments  # OpenAPI has more
    operation_id: str,
    answer: Any,
    body: type[StrictSerializer] | Mapping[str, Any] | None = None,
    *,
    group: str,
    status: int = 200,
    problems: Iterable[int] = KNOWN,
    also: Mapping[Any, OpenApiResponse] | None = None,
    examples: Iterable[OpenApiExample] = (),
    **more: Any,
) -> Callable[[_View], _View]:
    """Decorator of a view's method that describes its operation; the method's docstring is summary and description.

    Args:
        operation_id: its name for generated clients.
        answer: the type of a success, whose docstring describes it; None where ``also`` has all.
        body: the request's; or its schemas by media type.
        group: its heading for people, one of the TAGS in the settings.
        status: of a success.
        problems: their statuses, except those of every endpoint and of every body.
        also: other answers, by status, or by status and media type.
        examples: as ``asked`` and ``answered`` make them.
        more: other arguments of ``extend_schema``.
    """
    statuses = sorted({*problems, *_EVERY, *(_BODY if body else ())})
    return extend_schema(
        operation_id=operation_id,
        tags=[group],
        request={JSON: body} if isinstance(body, type) else body,
        responses={
            **({(status, JSON): OpenApiResponse(answer, answer.__doc__)} if answer else {}),
            **(also or {}),
            **{(each, MEDIA_TYPE): OpenApiResponse(_REFERENCE, PROBLEMS[each][1]) for each in statuses},
        },
        examples=list(examples),
        **more,
    )


def example(value: Any) -> Any:
    """Example of a member, to stand in its annotation."""
    return Field(examples=[value])


def asked(name: str, value: Any) -> OpenApiExample:
    """Example of a request."""
    return OpenApiExample(name, value=value, request_only=True)


def answered(name: str, value: Any, status: int = 200) -> OpenApiExample:
    """Example of an answer as it really looks, for a success or a problem."""
    media_type = JSON if status < 400 else MEDIA_TYPE
    return OpenApiExample(name, value=value, response_only=True, media_type=media_type, status_codes=[str(status)])


class _WithoutTitles(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(answer: Any) -> dict[str, Any]:
    """The JSON Schema of an answer's type; the types in it are components of their own, below ``$defs``."""
    return TypeAdapter(answer).json_schema(
        mode="serialization", schema_generator=_WithoutTitles, ref_template="#/components/schemas/{model}"
    )


@cache
def _identity(answer: Any) -> ComponentIdentity:
    schema = schema_of(answer)
    schema.pop("$defs", None)
    return ComponentIdentity(schema)  # type: ignore[no-untyped-call]


class _TypedAnswer(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # untyped hook in __init_subclass__
    """Makes a component of an answer's type."""

    @classmethod
    def _matches(cls, target: Any) -> bool:
        return is_typeddict(target)

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        name: str = self.target.__name__
        return name

    def get_identity(self, auto_schema: Any, direction: Any) -> ComponentIdentity:
        """The schema: of the types within an answer nothing else is known."""
        return _identity(self.target)

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema = schema_of(self.target)
        for name, inner in schema.pop("$defs", {}).items():
            identity = ComponentIdentity(inner)  # type: ignore[no-untyped-call]
            component = ResolvedComponent(name, ResolvedComponent.SCHEMA, inner, identity)  # type: ignore[no-untyped-call]
            auto_schema.registry.register_on_missing(component)
        return schema


class _StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # as above
    """Says of a request body that it has no members but those listed."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        # As the library's own extensions do it.
        own = auto_schema._map_serializer  # pylint: disable=protected-access
        schema: dict[str, Any] = own(self.target, direction, bypass_extensions=True)
        return schema | {"additionalProperties": False}
