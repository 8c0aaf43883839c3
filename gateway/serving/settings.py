"""Settings of the room ``serving``: the port, the side, and how many requests and bodies wait."""

from enum import StrEnum

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from kit.logs import LogFormat
from kit.settings import Settings


class ProcessRole(StrEnum):
    """Side that a process answers: what writes, what reads, or both."""

    ALL = "all"
    COMMAND = "command"
    QUERY = "query"


class ServingSettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``serving``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    # Only serving needs a key (a check of the gateway says so), commands do not.
    secret_key: SecretStr = SecretStr("")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    role: ProcessRole = ProcessRole.ALL
    queue: int = Field(default=64, ge=0, le=10_000)
    bodies: int = Field(default=128, ge=1, le=10_000)
    log_format: LogFormat = LogFormat.CONSOLE
