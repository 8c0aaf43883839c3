"""What the OpenAPI document says of ``/search``, asked by a body and by parameters."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from gateway.openapi.answers import (
    COUNT,
    READING_ON,
    REJECTION,
    STRING,
    WITH_BODY,
    WITHOUT_BODY,
    example,
    problem_responses,
)
from gateway.parameters import SearchParameters
from gateway.serializers import MAX_NAMES, FieldNames, SearchSerializer

_ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["query_id", "count", "count_relation", "took_ms", "results", "next"],
    "properties": {
        "query_id": {"type": "string", "format": "uuid", "description": "The id of the search's audit event."},
        "count": {**COUNT, "description": "Documents that match."},
        "count_relation": {"enum": ["eq", "gte"], "description": "gte: there are more than count."},
        "took_ms": {**COUNT, "description": "Milliseconds that Elasticsearch took."},
        "results": {"type": "array", "items": {"type": "object"}},
        "next": {"type": ["string", "null"], "description": "Cursor to the next page."},
        "dsl": {"type": "object", "description": 'The Elasticsearch query, with "explain": true.'},
    },
}

_LINES: dict[str, Any] = {
    "type": "string",
    "description": "Every document that matches, a line each. A failure on the way is a last line "
    '`{"problem": {…}}`, whose `query_id` is that of the header X-Query-ID.',
}

_ANSWERS = {
    (200, "application/json"): OpenApiResponse(_ANSWER, "A page of the answer."),
    (200, "application/x-ndjson"): OpenApiResponse(_LINES, "All of the answer, where Accept asks for it."),
}

_EXAMPLES = [
    example(
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
    example(
        "unknown field",
        400,
        REJECTION | {"query_id": "01a30d3c-6a55-7b52-9d0c-2f6c1b3f5a10"},
    ),
    OpenApiExample(
        "two devices",
        value='{"Hostname":"octoxlabs01"}\n{"Hostname":"octoxlabs02"}\n',
        response_only=True,
        media_type="application/x-ndjson",
        status_codes=["200"],
    ),
]

search_schema = extend_schema(
    operation_id="search",
    request={"application/json": SearchSerializer},
    responses={
        **_ANSWERS,
        **problem_responses(*WITH_BODY, *READING_ON),
    },
    examples=[
        OpenApiExample(
            "hosts by name",
            value={"query": "Hostname = octoxlabs*", "fields": ["Hostname", "Ip"], "sort": ["-LastSeen"]},
            request_only=True,
        ),
        *_EXAMPLES,
    ],
)

search_by_parameters_schema = extend_schema(
    operation_id="search_by_parameters",
    parameters=[
        SearchParameters,
        *(
            OpenApiParameter(
                name,
                {"type": "array", "items": STRING, "maxItems": MAX_NAMES},
                description=f"{field.help_text} Separated by commas.",
                explode=False,
                style="form",
            )
            for name, field in SearchParameters().get_fields().items()
            if isinstance(field, FieldNames)
        ),
    ],
    responses={
        **_ANSWERS,
        **problem_responses(*WITHOUT_BODY, *READING_ON, 414),
    },
    examples=_EXAMPLES,
)
