"""What the OpenAPI document says of ``/healthz`` and ``/readyz``."""

from typing import Any

HEALTH: dict[str, Any] = {"type": "object", "required": ["status"], "properties": {"status": {"const": "up"}}}

READINESS: dict[str, Any] = {
    "type": "object",
    "required": ["status", "dependencies"],
    "properties": {
        "status": {"enum": ["ready", "unready"]},
        "dependencies": {"type": "object", "additionalProperties": {"enum": ["up", "down"]}},
    },
}
