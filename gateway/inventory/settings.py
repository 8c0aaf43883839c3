"""Settings of the room ``inventory``: the worker's health and metrics, and how long history is kept."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings


class InventorySettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``inventory``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    history_days: int | None = Field(default=None, ge=1, le=36_500)
    worker_metrics_host: str = "127.0.0.1"
    worker_metrics_port: int = Field(default=9110, ge=1, le=65535)
