"""Settings of the translator: the variables `TRANSLATOR_…`. See also `elastic.settings`."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.logs import LogFormat
from kit.settings import Settings

_Seconds = Annotated[float, Field(gt=0, le=86_400)]


class TranslatorSettings(Settings):
    """Settings of the translator: its address, and how fresh its field catalogues are."""

    model_config = SettingsConfigDict(env_prefix="TRANSLATOR_")

    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=1, le=65_535)
    body_bytes: int = Field(default=1_114_112, ge=1_024, le=16_777_216)
    """The largest request body: a little more than the gateway takes, so that a query over the limit is told where."""
    refresh_seconds: _Seconds = 30.0
    """Seconds between two reads in the background of the mappings of the indices in use."""
    unknown_field_refresh_seconds: _Seconds = 1.0
    """Least seconds between two reads of an index's mapping before a name in a query is called unknown."""
    elasticsearch_timeout: _Seconds = 3.0
    """Seconds after which a request to Elasticsearch is given up."""
    log_format: LogFormat = LogFormat.CONSOLE
    """A line for people (console), or JSON in the Elastic Common Schema (ecs)."""
