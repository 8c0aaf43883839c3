"""Topics of the query events: their names, from ``AUDIT_*``."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.kafka import TOPIC_NAME
from kit.settings import Settings


class TopicSettings(Settings):
    """The topics of the audit trail."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_")

    topic: str = Field(default="query-events", pattern=TOPIC_NAME)
    dlq_topic: str = Field(default="query-events.dlq", pattern=TOPIC_NAME)
