"""Settings of the room ``live``: where sockets are served, and their process's metrics."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings


class LiveSettings(Settings):
    """Variables ``GATEWAY_LIVE_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    live_host: str = "127.0.0.1"
    live_port: int = Field(default=8003, ge=1, le=65535)
    live_metrics_host: str = "127.0.0.1"
    live_metrics_port: int = Field(default=9111, ge=1, le=65535)
