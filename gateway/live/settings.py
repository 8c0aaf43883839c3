"""Settings of the room ``live``: where sockets are served, and the address that pages are told."""

from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings


class LiveSettings(Settings):
    """Variables ``GATEWAY_LIVE_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    live_host: str = "127.0.0.1"
    live_port: int = Field(default=8003, ge=1, le=65535)
    # Where the edge serves /ws/, a page uses its own origin, and nothing is set.
    live_url: Annotated[str, StringConstraints(pattern=r"^wss?://[A-Za-z0-9.\[\]:-]+$")] | None = None
    live_metrics_host: str = "127.0.0.1"
    live_metrics_port: int = Field(default=9111, ge=1, le=65535)
