"""Settings of the lake: the variables ``LAKE_*``."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from kit.logs import LogFormat
from kit.settings import HttpUrl, Settings

# delta-rs would try for three minutes, without a word to anybody.
_PATIENCE = {"timeout": "20s", "connect_timeout": "5s", "max_retries": "4", "retry_timeout": "15s"}


class LakeSettings(Settings):
    """Where the tables are, and how they are reached."""

    model_config = SettingsConfigDict(env_prefix="LAKE_")

    url: str = Field(
        default="/var/lib/sluice/lake",
        pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/]+)*/?|[^:]+)$",
        description="a folder, or a bucket and a prefix: s3://BUCKET/PREFIX",
    )
    user_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="the key of the HMAC that stands for a user's name; the same for ever",
    )
    s3_endpoint: HttpUrl | None = Field(default=None, description="address of the bucket's server, if it is not AWS")
    s3_region: str = Field(default="us-east-1", min_length=1, max_length=64, description="region of the bucket")
    s3_access_key_id: str | None = Field(default=None, description="who the lake is to the bucket's server")
    s3_secret_access_key: SecretStr | None = Field(default=None, description="the secret that goes with it")
    lineage_url: str | None = Field(
        default=None,
        pattern=r"^(file:///|https?://).+",
        description="where OpenLineage events of the jobs go: file:///PATH, or the address of a catalogue's API",
    )
    log_format: LogFormat = Field(
        default=LogFormat.CONSOLE, description="a line for people (console), or JSON in the Elastic Common Schema (ecs)"
    )

    @model_validator(mode="after")
    def _credentials_come_in_pairs(self) -> Self:
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            raise ValueError("LAKE_S3_ACCESS_KEY_ID and LAKE_S3_SECRET_ACCESS_KEY go together: set both, or neither")
        return self

    @property
    def is_bucket(self) -> bool:
        """Whether the tables are in a bucket."""
        return self.url.startswith("s3://")

    def storage_options(self) -> dict[str, str]:
        """The options that delta-rs reaches a bucket with; none for a folder."""
        if not self.is_bucket:
            return {}
        options = {"AWS_REGION": self.s3_region, **_PATIENCE}
        if self.s3_endpoint is not None:
            options |= {
                "AWS_ENDPOINT_URL": self.s3_endpoint,
                "AWS_ALLOW_HTTP": str(self.s3_endpoint.startswith("http://")).lower(),
            }
        if self.s3_access_key_id is not None and self.s3_secret_access_key is not None:
            options |= {
                "AWS_ACCESS_KEY_ID": self.s3_access_key_id,
                "AWS_SECRET_ACCESS_KEY": self.s3_secret_access_key.get_secret_value(),
            }
        return options
