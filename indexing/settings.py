"""Settings of an indexing consumer, the same for every topic."""

from pydantic import Field

from kit.logs import LogFormat
from kit.settings import Settings


class IndexingSettings(Settings):
    """Settings of a consumer; a subclass gives ``group_id`` and ``metrics_port`` their defaults.

    Memory is bounded by ``batch_bytes`` times ``in_flight`` + 2 (one batch being filled, and one that is ready), twice:
    the original records are kept beside the bodies made of them until they are settled.
    """

    group_id: str = Field(min_length=1, max_length=249, description="the consumer group")
    batch_size: int = Field(default=2_000, ge=1, le=20_000, description="records in a batch at most")
    batch_bytes: int = Field(
        default=4 * 1024 * 1024, ge=64 * 1024, le=32 * 1024 * 1024, description="bytes at which a bulk body is full"
    )
    linger_ms: int = Field(default=200, ge=0, le=60_000, description="how long a batch waits to be filled")
    in_flight: int = Field(default=2, ge=1, le=16, description="bulk requests under way at once")
    dead_letter_ratio: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="more dead letters than this among the last records stop the consumer; 1: never",
    )
    metrics_host: str = Field(default="127.0.0.1", description="where metrics and health are served")
    metrics_port: int = Field(ge=1, le=65_535, description="where metrics and health are served")
    log_format: LogFormat = Field(
        default=LogFormat.CONSOLE, description="a line for people (console), or JSON in the Elastic Common Schema (ecs)"
    )
