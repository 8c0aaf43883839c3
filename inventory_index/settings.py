"""Settings of the inventory's indexer: the variables ``INVENTORY_INDEX_*``."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from indexing.settings import IndexingSettings


class IndexerSettings(IndexingSettings):
    """Settings of the inventory's indexer; somebody may wait for a change, so that a batch does not wait for others."""

    model_config = SettingsConfigDict(env_prefix="INVENTORY_INDEX_")

    group_id: str = Field(default="inventory-index", min_length=1, max_length=249, description="the consumer group")
    linger_ms: int = Field(default=10, ge=0, le=60_000, description="how long a batch waits to be filled")
    metrics_port: int = Field(default=9109, ge=1, le=65_535, description="where metrics and health are served")
