"""OpenAPI descriptions of endpoints that read their bodies and write their answers themselves."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

_PROBLEM = {"application/problem+json": {"schema": {"type": "object"}}}
_BODY_STATUSES = (400, 413, 415)


def document(body: type[BaseModel], summary: str, *statuses: int) -> dict[str, Any]:
    """The arguments of an endpoint's decorator that describe it: its body, and the problems that it answers with."""
    schema = body.model_json_schema()
    return {
        **reads(summary, *_BODY_STATUSES, *statuses),
        "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}},
    }


def reads(summary: str, *statuses: int) -> dict[str, Any]:
    """Describe an endpoint without a body."""
    responses = {status: {"description": HTTPStatus(status).phrase, "content": _PROBLEM} for status in sorted(statuses)}
    return {"summary": summary, "responses": responses}
