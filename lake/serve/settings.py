"""Settings of the lake's writer."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic.functional_validators import BeforeValidator
from pydantic_settings import NoDecode

from lake.settings import LakeSettings


def _list(value: object) -> object:
    """Read a list with commas between."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


_FIELD = r"^[A-Za-z0-9_@.-]{1,255}$"
Names = Annotated[tuple[Annotated[str, Field(pattern=_FIELD)], ...], NoDecode, BeforeValidator(_list)]
Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_list)]


class ServeSettings(LakeSettings):
    """How the topic is read, what is added to its events, and where metrics are."""

    group_id: str = Field(default="lake", min_length=1, max_length=249, description="the consumer group")
    commit_seconds: float = Field(
        default=60.0, gt=0, le=600, description="how long a record waits at most for others of its commit"
    )
    commit_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024 * 1024,
        le=256 * 1024 * 1024,
        description="bytes of records at which a commit waits no longer",
    )
    mmdb: Paths = Field(
        default=(),
        max_length=8,
        description="MMDB files with countries and organisations of addresses, with commas between",
    )
    asset_index: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9._-]{0,254}$",
        description="index or alias of the inventory in which a client's address is looked up, such as devices",
    )
    asset_addresses: Names = Field(
        default=("Ip", "IpAddresses"),
        min_length=1,
        max_length=8,
        description="its fields that have addresses, with commas between",
    )
    asset_owner: str = Field(default="Owner", pattern=_FIELD, description="its field that has the owner")
    metrics_host: str = Field(default="127.0.0.1", description="where metrics and health are served")
    metrics_port: int = Field(default=9112, ge=1, le=65_535, description="where metrics and health are served")
