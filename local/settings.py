"""The embedded stack's folder, settings file, inventory and ports: the variables ``LOCAL_*``."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings

_Port = Annotated[int, Field(ge=1, le=65535)]


class LocalSettings(Settings):
    """The stack's folder, the file of the services' settings, the size of its inventory, and its ports on 127.0.0.1."""

    model_config = SettingsConfigDict(env_prefix="LOCAL_")

    home: Path = Path(".local")
    settings: Path = Path("settings.env")
    devices: int = Field(default=1_000, ge=0, le=1_000_000)
    gateway_port: _Port = 8000
    translator_port: _Port = 8001
    audit_sink_metrics_port: _Port = 9108
    inventory_index_metrics_port: _Port = 9109
    worker_metrics_port: _Port = 9110
    identity_provider_port: _Port = 8002
    live_port: _Port = 8003
    live_metrics_port: _Port = 9111
    lake_metrics_port: _Port = 9112
    kafka_port: _Port = 9092
    kafka_controller_port: _Port = 9093
    elasticsearch_port: _Port = 9200
    elasticsearch_transport_port: _Port = 9300

    def ports(self) -> dict[str, int]:
        """Each port by the variable that sets it."""
        return {f"LOCAL_{name}".upper(): value for name, value in self if name.endswith("_port")}
