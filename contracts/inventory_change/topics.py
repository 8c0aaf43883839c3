"""Topics of the inventory's changes: their names, from ``INVENTORY_*``."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.kafka import TOPIC_NAME
from kit.settings import Settings

REJECTIONS_GROUP = "inventory-rejections"
"""Consumer group of the gateway's workers on the dead letters."""


class InventoryTopicSettings(Settings):
    """The topics of the inventory."""

    model_config = SettingsConfigDict(env_prefix="INVENTORY_")

    topic: str = Field(default="inventory-changes", pattern=TOPIC_NAME)
    dlq_topic: str = Field(default="inventory-changes.dlq", pattern=TOPIC_NAME)
