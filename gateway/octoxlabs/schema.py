"""Answers to the vendor's client: their types, from which OpenAPI is made."""

from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from gateway.http.openapi import Count, described, example

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"}), example("2026-11-21T01:02:03.456789Z")]
FoundDevice = Annotated[
    Any,
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "array"}}),
    example({"Hostname": ["octoxlabs01"], "Ip": ["10.20.0.1"], "OS.Type": ["Linux"]}),
]
"""The JSON text of a device: each field by its full name, with a list of its values."""


@described
class AccessToken(TypedDict):
    """An access token, to be sent as a Bearer token."""

    access: Annotated[str, example("eyJhbGciOiJSUzI1NiIs…")]
    """A signed token that expires."""


@described
class Pong(TypedDict):
    """The caller may come in."""

    pong: Literal["ok"]


@described
class Discovery(TypedDict):
    """The one discovery: the caller's first index as it is."""

    id: Literal[1]
    start_time: Time
    """The time at which the index was made."""
    end_time: Time
    """The time of the answer."""
    status: Literal[2]
    """Done."""
    progress: Annotated[float, WithJsonSchema({"const": 100})]


@described
class DevicesAnswer(TypedDict):
    """Devices, and how many there are."""

    count: Annotated[Count, example(1)]
    """Devices that match, exactly."""
    results: list[FoundDevice]
    scroll_id: Annotated[str | None, example(None)]
    """The id by which a scroll goes on, if need be to an answer without devices; null without a scroll."""
