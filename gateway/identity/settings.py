"""Settings of the room ``identity``: searchable indices, keys, tokens, failed log-ins, mail and identity providers."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import SettingsConfigDict

from gateway.http.settings import COMMA_SEPARATED, Rate
from gateway.identity.mail_url import read_mail_url
from gateway.identity.providers.settings import MAX_RETURN_CHARACTERS, is_endpoint, read_providers
from gateway.identity.signing_keys import read_signing_keys
from gateway.identity.token_encryption import read_encryption_keys
from kit.settings import HttpUrl, Settings


def _signing_keys(pem: SecretStr) -> SecretStr:
    if pem.get_secret_value():
        read_signing_keys(pem.get_secret_value())
    return pem


def _encryption_keys(keys: SecretStr) -> SecretStr:
    read_encryption_keys(keys.get_secret_value())
    return keys


def _mail_url(url: SecretStr | None) -> SecretStr | None:
    if url is not None:
        read_mail_url(url.get_secret_value())
    return url


def _providers(table: SecretStr) -> SecretStr:
    read_providers(table.get_secret_value())
    return table


def _return_url(url: str) -> str:
    if not is_endpoint(url, allow_loopback=True) or len(url) > MAX_RETURN_CHARACTERS:
        raise ValueError("must be URLs such as https://console.example.com/ or http://127.0.0.1/, without fragments")
    return url


def _no_audit_trail(index: str) -> str:
    if index.startswith("query-logs"):
        raise ValueError("the audit trail is searched by auditors alone, and not by being listed here")
    return index


# Lower case and no wildcard, so that a grant names exactly one index or alias.
_IndexName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,254}$"), AfterValidator(_no_audit_trail)]


class IdentitySettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``identity``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    search_indices: Annotated[tuple[_IndexName, ...], *COMMA_SEPARATED] = Field(default=("devices",), min_length=1)
    unsigned_tokens: bool = False
    login_failures: Rate = "10/hour"
    address_login_failures: Rate = "100/hour"
    # In PEM form; the first signs, all verify. Only serving needs them, as it does the secret key.
    jwt_keys: Annotated[SecretStr, AfterValidator(_signing_keys)] = SecretStr("")
    # In base64; the first encrypts access tokens, all decrypt.
    jwe_keys: Annotated[SecretStr, AfterValidator(_encryption_keys)] = SecretStr("")
    jwt_issuer: str = Field(default="sluice", min_length=1, max_length=200)
    jwt_audience: str = Field(default="sluice", min_length=1, max_length=200)
    jwt_access_seconds: int = Field(default=300, ge=30, le=3600)
    jwt_refresh_seconds: int = Field(default=7 * 24 * 3600, ge=60, le=90 * 24 * 3600)
    public_url: HttpUrl = "http://127.0.0.1:8000"
    # Where the edge serves /ws/, a page uses its own origin, and nothing is set.
    live_url: Annotated[str, StringConstraints(pattern=r"^wss?://[A-Za-z0-9.\[\]:-]+$")] | None = None
    # A secret, because it holds a password or a provider's key.
    mail_url: Annotated[SecretStr | None, AfterValidator(_mail_url)] = None
    mail_from: str = Field(default="sluice@localhost", min_length=3, max_length=320, pattern=r"^[^\r\n]+@[^\r\n]+$")
    mail_rate: Rate = "20/hour"
    signup: bool = False
    signup_indices: Annotated[tuple[str, ...], *COMMA_SEPARATED] = ()
    factor_roles: Annotated[tuple[Literal["searcher", "auditor", "admin"], ...], *COMMA_SEPARATED] = ()
    password_grant: bool = False
    # A secret, because it holds those of the providers.
    providers: Annotated[SecretStr, AfterValidator(_providers)] = SecretStr("")
    loopback_providers: bool = False
    login_return_urls: Annotated[tuple[Annotated[str, AfterValidator(_return_url)], ...], *COMMA_SEPARATED] = ()

    @model_validator(mode="after")
    def _providers_are_reached_safely(self) -> Self:
        for name, provider in read_providers(self.providers.get_secret_value()).items():
            if not is_endpoint(provider.issuer, allow_loopback=self.loopback_providers):
                raise ValueError(f"GATEWAY_PROVIDERS: {name}.issuer: must be on https")
        return self
