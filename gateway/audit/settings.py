"""Settings of the room ``audit``: how an event becomes durable."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from gateway.http.settings import Rate, Seconds
from kit.settings import Settings


class AuditMode(StrEnum):
    """Mode of the audit trail: an answer waits for a durable event, or for nothing."""

    DURABLE = "durable"
    ASYNC = "async"


class AuditSettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``audit``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    audit_mode: AuditMode = AuditMode.DURABLE
    audit_timeout: Seconds = 1.0
    recorded_refusals: Rate = "600/minute"
    spool_dir: Path = Path("sluice-spool")
    spool_bytes: int = Field(default=256 * 1024 * 1024, ge=1024 * 1024)
