"""Settings of the room ``serving``: the port, the processes and how many requests they take."""

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
    workers: int = Field(default=1, ge=1, le=64)
    threads: int = Field(default=32, ge=1, le=256)
    queue: int = Field(default=64, ge=0, le=10_000)
    bodies: int = Field(default=128, ge=1, le=10_000)
    log_format: LogFormat = LogFormat.CONSOLE
