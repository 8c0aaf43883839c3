"""What the OpenAPI document says of ``/healthz`` and ``/readyz``."""

from typing import Any

from gateway.http.openapi import COUNT

HEALTH: dict[str, Any] = {"type": "object", "required": ["status"], "properties": {"status": {"const": "up"}}}

READINESS: dict[str, Any] = {
    "type": "object",
    "required": ["status", "dependencies", "spool"],
    "properties": {
        "status": {
            "enum": ["ready", "degraded", "unready"],
            "description": "degraded: Kafka alone is down, and the spool takes the events. "
            "unready: something else is down, or the spool has no room.",
        },
        "dependencies": {"type": "object", "additionalProperties": {"enum": ["up", "down"]}},
        "spool": {
            "type": "object",
            "description": "Audit events of this worker that wait on the disk for Kafka.",
            "required": ["records", "bytes"],
            "properties": {"records": COUNT, "bytes": COUNT},
        },
    },
}
