"""Settings of the room ``search``: the indices, the translator and their time-outs."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_settings import SettingsConfigDict

from gateway.http.settings import COMMA_SEPARATED, Seconds
from kit.settings import HttpUrl, Settings


def _no_audit_trail(index: str) -> str:
    if index.startswith("query-logs"):
        raise ValueError("the audit trail is searched by auditors alone, and not by being listed here")
    return index


# Lower case and no wildcard, so that a grant names exactly one index or alias.
_IndexName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,254}$"), AfterValidator(_no_audit_trail)]


class SearchSettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``search``. Time-outs are in seconds."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    translator_url: HttpUrl = "http://127.0.0.1:8001"
    search_indices: Annotated[tuple[_IndexName, ...], *COMMA_SEPARATED] = Field(default=("devices",), min_length=1)
    translator_timeout: Seconds = 5.0
    search_timeout: Seconds = 10.0
