"""What the OpenAPI document says of the endpoints: examples, answers and problems."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from gateway.problems import MEDIA_TYPE, Code
from gateway.serializers import CompleteSerializer, FieldsSerializer, SearchSerializer, TranslateSerializer

_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": _STRING,
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong, where, and what to do."},
        "code": {"type": "string", "enum": [code.value for code in Code]},
        "query_id": {"type": "string", "format": "uuid", "description": "The id of the audit event."},
        "position": {"type": "integer", "description": "Where the mistake begins, in characters from 0."},
        "end": {"type": "integer", "description": "Where it ends."},
        "line": {"type": "integer", "description": "From 1."},
        "column": {"type": "integer", "description": "From 1."},
        "caret": {"type": "string", "description": "The mistake underlined."},
        "suggestions": {"type": "array", "items": _STRING},
    },
}

_ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["query_id", "count", "count_relation", "took_ms", "results", "next"],
    "properties": {
        "query_id": {"type": "string", "format": "uuid", "description": "The id of the search's audit event."},
        "count": {**_COUNT, "description": "Documents that match."},
        "count_relation": {"enum": ["eq", "gte"], "description": "gte: there are more than count."},
        "took_ms": {**_COUNT, "description": "Milliseconds that Elasticsearch took."},
        "results": {"type": "array", "items": {"type": "object"}},
        "next": {"type": ["string", "null"], "description": "Cursor to the next page."},
        "dsl": {"type": "object", "description": 'The Elasticsearch query, with "explain": true.'},
    },
}

_TRANSLATION: dict[str, Any] = {
    "type": "object",
    "required": ["query", "fields", "canonical"],
    "properties": {
        "query": {"type": "object", "description": "Elasticsearch Query DSL."},
        "fields": {"type": "array", "items": _STRING, "description": "The fields in it."},
        "canonical": {"type": "string", "description": "The query in its canonical form."},
    },
}

_COMPLETION: dict[str, Any] = {
    "type": "object",
    "required": ["start", "end", "suggestions", "values_of"],
    "properties": {
        "start": {**_COUNT, "description": "Where the text begins that a suggestion replaces, in characters from 0."},
        "end": {**_COUNT, "description": "Where it ends: the cursor."},
        "suggestions": {
            "type": "array",
            "description": "In the order in which to offer them.",
            "items": {
                "type": "object",
                "required": ["text", "kind", "type"],
                "properties": {
                    "text": _STRING,
                    "kind": {"enum": ["field", "operator", "keyword", "value"]},
                    "type": {"type": "string", "description": "A field's mapping type; empty for the other kinds."},
                },
            },
        },
        "values_of": {
            "type": ["string", "null"],
            "description": "The field of which values were looked up in the index; such a look-up has an audit event.",
        },
    },
}

_CATALOGUE: dict[str, Any] = {
    "type": "object",
    "required": ["index", "fields"],
    "properties": {
        "index": _STRING,
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "type", "operators"],
                "properties": {
                    "name": _STRING,
                    "type": {"type": "string", "description": "The mapping type."},
                    "operators": {"type": "array", "items": _STRING},
                    "alias_of": {"type": "string", "description": "The field that the name stands for."},
                    "nested": {"type": "string", "description": "The nested field that holds it."},
                    "problem": {"type": "string", "description": "Why it cannot be queried."},
                },
            },
        },
    },
}

_CARET = "Hostnme = octoxlabs*\n^^^^^^^"

_PROBLEMS = {
    400: "The request is malformed, or its query is rejected; then with position and caret.",
    401: "No or bad credentials.",
    403: "You may not search this index.",
    404: "The index does not exist.",
    405: "The path does not take this method.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not JSON in UTF-8.",
    500: "The gateway failed.",
    503: "The translator, Elasticsearch or the audit trail is down; see Retry-After.",
}
_BODY_PROBLEMS = (413, 415)

_REJECTION = {
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


def _example(name: str, status: int, value: dict[str, Any]) -> OpenApiExample:
    media_type = "application/json" if status < 400 else MEDIA_TYPE
    return OpenApiExample(name, value=value, response_only=True, media_type=media_type, status_codes=[str(status)])


def problem_responses(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The problems that an endpoint answers with, by status and media type."""
    return {(status, MEDIA_TYPE): OpenApiResponse(PROBLEM, _PROBLEMS[status]) for status in statuses}


HEALTH: dict[str, Any] = {"type": "object", "required": ["status"], "properties": {"status": {"const": "up"}}}

READINESS: dict[str, Any] = {
    "type": "object",
    "required": ["status", "dependencies"],
    "properties": {
        "status": {"enum": ["ready", "unready"]},
        "dependencies": {"type": "object", "additionalProperties": {"enum": ["up", "down"]}},
    },
}

search_schema = extend_schema(
    operation_id="search",
    request={"application/json": SearchSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_ANSWER, "A page of the answer."),
        **problem_responses(*_PROBLEMS),
    },
    examples=[
        OpenApiExample(
            "hosts by name",
            value={"query": "Hostname = octoxlabs*", "fields": ["Hostname", "Ip"], "sort": ["-LastSeen"]},
            request_only=True,
        ),
        _example(
            "one device",
            200,
            {
                "query_id": "01a30d3c-6a55-7b52-9d0c-2f6c1b3f5a10",
                "count": 1,
                "count_relation": "eq",
                "took_ms": 3,
                "results": [{"Hostname": "octoxlabs01", "Ip": ["10.20.0.1"]}],
                "next": None,
            },
        ),
        _example(
            "unknown field",
            400,
            _REJECTION | {"query_id": "01a30d3c-6a55-7b52-9d0c-2f6c1b3f5a10"},
        ),
    ],
)

fields_schema = extend_schema(
    operation_id="fields",
    parameters=[FieldsSerializer],
    responses={
        (200, "application/json"): OpenApiResponse(_CATALOGUE, "The fields."),
        **problem_responses(*(status for status in _PROBLEMS if status not in _BODY_PROBLEMS)),
    },
    examples=[
        _example(
            "one field",
            200,
            {
                "index": "devices",
                "fields": [{"name": "Managed", "type": "boolean", "operators": ["=", "!=", "IN", "NOT IN"]}],
            },
        )
    ],
)

translate_schema = extend_schema(
    operation_id="translate",
    request={"application/json": TranslateSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_TRANSLATION, "The query for Elasticsearch."),
        **problem_responses(*_PROBLEMS),
    },
    examples=[
        OpenApiExample("hosts by name", value={"query": "hostname=octoxlabs*"}, request_only=True),
        _example(
            "a prefix",
            200,
            {
                "query": {"prefix": {"Hostname": "octoxlabs"}},
                "fields": ["Hostname"],
                "canonical": "Hostname = octoxlabs*",
            },
        ),
        _example("unknown field", 400, _REJECTION),
    ],
)

complete_schema = extend_schema(
    operation_id="complete",
    request={"application/json": CompleteSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_COMPLETION, "What can stand at the cursor."),
        **problem_responses(*_PROBLEMS),
    },
    examples=[
        OpenApiExample("a value", value={"query": "Site = an", "cursor": 9}, request_only=True),
        _example(
            "values of the index",
            200,
            {
                "start": 7,
                "end": 9,
                "suggestions": [{"text": "ankara", "kind": "value", "type": ""}],
                "values_of": "Site",
            },
        ),
        _example(
            "malformed",
            400,
            {
                "type": "about:blank",
                "title": "Bad Request",
                "status": 400,
                "detail": "cursor: The cursor is behind the end of the query, which has 9 characters.",
                "code": "malformed",
            },
        ),
    ],
)
