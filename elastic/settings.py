"""Settings of the connection to Elasticsearch: the variables ``ELASTICSEARCH_*``."""

from pathlib import Path
from typing import Self

from pydantic import SecretStr, model_validator
from pydantic_settings import (
    SettingsConfigDict,
)

from kit.settings import HttpUrl, Settings


class ElasticsearchSettings(Settings):
    """Settings of the connection to Elasticsearch."""

    model_config = SettingsConfigDict(env_prefix="ELASTICSEARCH_")

    url: HttpUrl = "http://127.0.0.1:9200"
    api_key: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_certs: Path | None = None

    @model_validator(mode="after")
    def _one_kind_of_credentials(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD go together")
        if self.api_key is not None and self.username is not None:
            raise ValueError("set either ELASTICSEARCH_API_KEY or ELASTICSEARCH_USERNAME, not both")
        return self
