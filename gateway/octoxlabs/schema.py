"""What the OpenAPI document says of the paths of the vendor's client."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from gateway.http.openapi import COUNT, READING_ON, WITH_BODY, WITHOUT_BODY, example, problem_responses
from gateway.octoxlabs.serializers import DeviceSerializer, DevicesSerializer, TokenSerializer

_DEVICE: dict[str, Any] = {
    "type": "object",
    "description": "Each field by its full name, with a list of its values.",
    "additionalProperties": {"type": "array"},
}

_DEVICES: dict[str, Any] = {
    "type": "object",
    "required": ["count", "results", "scroll_id"],
    "properties": {
        "count": {**COUNT, "description": "Devices that match, exactly."},
        "results": {"type": "array", "items": _DEVICE},
        "scroll_id": {
            "type": ["string", "null"],
            "description": "Where a scroll goes on, if need be to an answer without devices; null without one.",
        },
    },
}

_TIME = {"type": "string", "format": "date-time"}

_DISCOVERY: dict[str, Any] = {
    "type": "object",
    "required": ["id", "start_time", "end_time", "status", "progress"],
    "properties": {
        "id": {"const": 1},
        "start_time": {**_TIME, "description": "When the index was made."},
        "end_time": {**_TIME, "description": "The time of the answer."},
        "status": {"const": 2, "description": "Done."},
        "progress": {"const": 100},
    },
}

_PONG: dict[str, Any] = {"type": "object", "required": ["pong"], "properties": {"pong": {"const": "ok"}}}

_ACCESS: dict[str, Any] = {
    "type": "object",
    "required": ["access"],
    "properties": {"access": {"type": "string", "description": "A signed token that expires."}},
}

_FOUND = {"Hostname": ["octoxlabs01"], "Ip": ["10.20.0.1"], "OS.Type": ["Linux"]}

token_schema = extend_schema(
    operation_id="vendor_token",
    request={"application/json": TokenSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_ACCESS, "An access token, to be sent as a Bearer token."),
        **problem_responses(400, 401, 405, 413, 415, 429, 500, 503),
    },
    examples=[
        OpenApiExample("an API key", value={"token": "sluice_0123456789abcdef_…"}, request_only=True),
        example("a token", 200, {"access": "eyJhbGciOiJSUzI1NiIs…"}),
    ],
)

ping_schema = extend_schema(
    operation_id="vendor_ping",
    responses={
        (200, "application/json"): OpenApiResponse(_PONG, "The caller may come in."),
        **problem_responses(401, 405, 429, 500, 503),
    },
)

discovery_schema = extend_schema(
    operation_id="vendor_last_discovery",
    responses={
        (200, "application/json"): OpenApiResponse(_DISCOVERY, "The one discovery: the caller's first index as it is."),
        **problem_responses(*WITHOUT_BODY),
    },
    examples=[
        example(
            "the discovery",
            200,
            {
                "id": 1,
                "start_time": "2026-11-20T08:00:00.000000Z",
                "end_time": "2026-11-21T01:02:03.456789Z",
                "status": 2,
                "progress": 100.0,
            },
        )
    ],
)

devices_schema = extend_schema(
    operation_id="vendor_devices",
    request={"application/json": DevicesSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_DEVICES, "Devices, and how many there are."),
        **problem_responses(*WITH_BODY, *READING_ON),
    },
    examples=[
        OpenApiExample(
            "hosts by name",
            value={
                "query": "Hostname = octoxlabs*",
                "fields": ["Hostname", "Ip", "OS.Type"],
                "ordering": [{"field": "Hostname", "order": "asc"}],
                "size": 1,
                "index_id": 1,
            },
            request_only=True,
        ),
        example("one device of twelve", 200, {"count": 12, "results": [_FOUND], "scroll_id": None}),
        example(
            "a page too far",
            400,
            {
                "type": "about:blank",
                "title": "Bad Request",
                "status": 400,
                "detail": "page: Pages reach 10,000 results (page × size); to read on, scroll.",
                "code": "malformed",
            },
        ),
    ],
)

device_schema = extend_schema(
    operation_id="vendor_device",
    parameters=[OpenApiParameter("hostname", str, OpenApiParameter.PATH, description="The whole Hostname.")],
    request={"application/json": DeviceSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(_DEVICE, "The device."),
        **problem_responses(*WITH_BODY),
    },
    examples=[
        OpenApiExample("the one discovery", value={"index_id": 1}, request_only=True),
        example("a device", 200, _FOUND),
        example(
            "no such device",
            404,
            {
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "detail": "There is no device with this Hostname.",
                "code": "not_found",
                "query_id": "01a30d3c-6a55-7b52-9d0c-2f6c1b3f5a10",
            },
        ),
    ],
)
