"""Settings of the room ``notify``: webhooks, and how long notifications are kept."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field, FilePath
from pydantic_settings import SettingsConfigDict

from gateway.http.settings import COMMA_SEPARATED
from kit.settings import Settings


class NotifySettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``notify``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    # Beside the addresses of the internet.
    webhook_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], *COMMA_SEPARATED] = ()
    webhook_ca_certs: FilePath | None = None
    notification_days: int = Field(default=90, ge=1, le=3650)
