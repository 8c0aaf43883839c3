"""What the descriptions of several endpoints share: the problems, and how an example is written."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from gateway.problems import MEDIA_TYPE, Code

STRING = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": STRING,
        "title": STRING,
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong, where, and what to do."},
        "code": {"type": "string", "enum": [code.value for code in Code]},
        "query_id": {"type": "string", "format": "uuid", "description": "The id of the audit event."},
        "position": {"type": "integer", "description": "Where the mistake begins, in characters from 0."},
        "end": {"type": "integer", "description": "Where it ends."},
        "line": {"type": "integer", "description": "From 1."},
        "column": {"type": "integer", "description": "From 1."},
        "caret": {"type": "string", "description": "The mistake underlined."},
        "suggestions": {"type": "array", "items": STRING},
    },
}

_REFERENCE = {"$ref": "#/components/schemas/Problem"}

_CARET = "Hostnme = octoxlabs*\n^^^^^^^"

PROBLEMS = {
    400: "The request is malformed, or its query is rejected; then with position and caret.",
    401: "No or bad credentials; see WWW-Authenticate.",
    403: "You may not search this index.",
    404: "The index does not exist.",
    405: "The path does not take this method; see Allow.",
    406: "The document is in YAML and JSON; Accept names neither.",
    409: "The snapshot behind the cursor is gone.",
    413: "The body is larger than 1 MiB, or than 4 KiB where it takes no query.",
    414: "Path and query string are longer than 16 KiB, which the edge answers; send a long query by POST.",
    415: "The body is not JSON in UTF-8.",
    429: "You, or your address, ask too often, or you have as many cursors or streams open as may be; see Retry-After.",
    500: "The gateway failed.",
    503: "The translator, Elasticsearch or the audit trail is down; see Retry-After.",
}
READING_ON = (409,)
"""What cursors add."""
WITH_BODY = tuple(status for status in PROBLEMS if status not in (406, 414, *READING_ON))
"""What an endpoint with a request body can answer instead."""
WITHOUT_BODY = tuple(status for status in WITH_BODY if status not in (413, 415))

REJECTION = {
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "detail": 'unknown field "Hostnme"; did you mean "Hostname"?',
    "code": "unknown_field",
    "position": 0,
    "end": 7,
    "line": 1,
    "column": 1,
    "caret": _CARET,
    "suggestions": ["Hostname"],
}


def example(name: str, status: int, value: dict[str, Any]) -> OpenApiExample:
    """One answer as it really looks, for a success or a problem."""
    media_type = "application/json" if status < 400 else MEDIA_TYPE
    return OpenApiExample(name, value=value, response_only=True, media_type=media_type, status_codes=[str(status)])


def problem_responses(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The problems that an endpoint answers with, by status and media type."""
    return {(status, MEDIA_TYPE): OpenApiResponse(_REFERENCE, PROBLEMS[status]) for status in statuses}
