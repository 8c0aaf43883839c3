"""Settings of the room ``search``: where the translator is, and the time-outs of translator and Elasticsearch."""

from pydantic_settings import SettingsConfigDict

from gateway.http.settings import Seconds
from kit.settings import HttpUrl, Settings


class SearchSettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``search``. Time-outs are in seconds."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    translator_url: HttpUrl = "http://127.0.0.1:8001"
    translator_timeout: Seconds = 5.0
    search_timeout: Seconds = 10.0
