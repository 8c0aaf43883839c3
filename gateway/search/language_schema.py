"""What the OpenAPI document says of ``/fields``, ``/complete`` and ``/translate``."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from gateway.http.openapi import COUNT, REJECTION, STRING, WITH_BODY, WITHOUT_BODY, example, problem_responses
from gateway.search.serializers import CompleteSerializer, FieldsSerializer, TranslateSerializer

_TRANSLATION: dict[str, Any] = {
    "type": "object",
    "required": ["query", "fields", "canonical"],
    "properties": {
        "query": {"type": "object", "description": "Elasticsearch Query DSL."},
        "fields": {"type": "array", "items": STRING, "description": "The fields in it."},
        "canonical": {"type": "string", "description": "The query in its canonical form."},
    },
}

_COMPLETION: dict[str, Any] = {
    "type": "object",
    "required": ["start", "end", "suggestions", "values_of"],
    "properties": {
        "start": {**COUNT, "description": "Where the text begins that a suggestion replaces, in characters from 0."},
        "end": {**COUNT, "description": "Where it ends: the cursor."},
        "suggestions": {
            "type": "array",
            "description": "In the order in which to offer them.",
            "items": {
                "type": "object",
                "required": ["text", "kind", "type"],
                "properties": {
                    "text": STRING,
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
        "index": STRING,
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "type", "operators", "sortable"],
                "properties": {
                    "name": STRING,
                    "type": {"type": "string", "description": "The mapping type."},
                    "operators": {"type": "array", "items": STRING},
                    "sortable": {"type": "boolean", "description": "Whether results can be sorted by it."},
                    "alias_of": {"type": "string", "description": "The field that the name stands for."},
                    "nested": {"type": "string", "description": "The nested field that holds it."},
                    "problem": {"type": "string", "description": "Why it cannot be queried."},
                },
            },
        },
    },
}

fields_schema = extend_schema(
    operation_id="fields",
    parameters=[FieldsSerializer],
    responses={
        (200, "application/json"): OpenApiResponse(_CATALOGUE, "The fields."),
        **problem_responses(*WITHOUT_BODY),
    },
    examples=[
        example(
            "one field",
            200,
            {
                "index": "devices",
                "fields": [
                    {"name": "Managed", "type": "boolean", "operators": ["=", "!=", "IN", "NOT IN"], "sortable": True}
                ],
            },
        )
    ],
)

translate_schema = extend_schema(
    operation_id="translate",
    request={"application/json": TranslateSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_TRANSLATION, "The query for Elasticsearch."),
        **problem_responses(*WITH_BODY),
    },
    examples=[
        OpenApiExample("hosts by name", value={"query": "hostname=octoxlabs*"}, request_only=True),
        example(
            "a prefix",
            200,
            {
                "query": {"prefix": {"Hostname": "octoxlabs"}},
                "fields": ["Hostname"],
                "canonical": "Hostname = octoxlabs*",
            },
        ),
        example("unknown field", 400, REJECTION),
    ],
)

complete_schema = extend_schema(
    operation_id="complete",
    request={"application/json": CompleteSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_COMPLETION, "What can stand at the cursor."),
        **problem_responses(*WITH_BODY),
    },
    examples=[
        OpenApiExample("a value", value={"query": "Site = an", "cursor": 9}, request_only=True),
        example(
            "values of the index",
            200,
            {
                "start": 7,
                "end": 9,
                "suggestions": [{"text": "ankara", "kind": "value", "type": ""}],
                "values_of": "Site",
            },
        ),
        example(
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
