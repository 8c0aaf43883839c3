"""Settings of the room ``inventory``: where the worker's health and metrics are served."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings


class InventorySettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``inventory``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    worker_metrics_host: str = "127.0.0.1"
    worker_metrics_port: int = Field(default=9110, ge=1, le=65535)
