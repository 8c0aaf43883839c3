"""Settings of the room ``identity``: keys, tokens and failed log-ins."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from gateway.http.settings import Rate
from gateway.identity.signing_keys import read_signing_keys
from kit.settings import Settings


def _signing_keys(pem: SecretStr) -> SecretStr:
    if pem.get_secret_value():
        read_signing_keys(pem.get_secret_value())
    return pem


class IdentitySettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``identity``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    unsigned_tokens: bool = False
    login_failures: Rate = "10/hour"
    address_login_failures: Rate = "100/hour"
    # In PEM form; the first signs, all verify. Only serving needs them, as it does the secret key.
    jwt_keys: Annotated[SecretStr, AfterValidator(_signing_keys)] = SecretStr("")
    jwt_issuer: str = Field(default="sluice", min_length=1, max_length=200)
    jwt_audience: str = Field(default="sluice", min_length=1, max_length=200)
    jwt_access_seconds: int = Field(default=300, ge=30, le=3600)
    jwt_refresh_seconds: int = Field(default=7 * 24 * 3600, ge=60, le=90 * 24 * 3600)
