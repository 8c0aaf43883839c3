"""What the OpenAPI document says of ``/search``."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from gateway.openapi.answers import COUNT, READING_ON, REJECTION, WITH_BODY, example, problem_responses
from gateway.serializers import SearchSerializer

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

search_schema = extend_schema(
    operation_id="search",
    request={"application/json": SearchSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_ANSWER, "A page of the answer."),
        **problem_responses(*WITH_BODY, *READING_ON),
    },
    examples=[
        OpenApiExample(
            "hosts by name",
            value={"query": "Hostname = octoxlabs*", "fields": ["Hostname", "Ip"], "sort": ["-LastSeen"]},
            request_only=True,
        ),
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
    ],
)
