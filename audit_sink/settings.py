"""Settings of the audit sink: the variables ``AUDIT_SINK_*``."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from indexing.settings import IndexingSettings


class SinkSettings(IndexingSettings):
    """Settings of the audit sink, and the indices that it writes to."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_SINK_")

    group_id: str = Field(default="audit-sink", min_length=1, max_length=249, description="the consumer group")
    metrics_port: int = Field(default=9108, ge=1, le=65_535, description="where metrics and health are served")
    index_prefix: str = Field(
        default="query-logs-",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$",
        description="what daily indices' names start with",
    )
