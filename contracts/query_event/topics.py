"""contracts.query_event.topics."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.kafka import _TOPIC_NAME
from kit.settings import Settings


class TopicSettings(Settings):
    """The topics of the audit trail."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_")

    topic: str = Field(default="query-events", pattern=_TOPIC_NAME)
    dlq_topic: str = Field(default="query-events.dlq", pattern=_TOPIC_NAME)
