"""Settings from the environment: the base that every service shares, and Elasticsearch's connection."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

_FILE_SUFFIX = "_FILE"


class ConfigurationError(Exception):
    """The environment does not describe a service that could start; the message names the variables."""


class _SecretFiles(EnvSettingsSource):
    """Reads ``NAME_FILE`` for a secret ``NAME``: the value is that file's content, without its last line break."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{self.env_prefix}{field_name}".upper() + _FILE_SUFFIX
        path = self.env_vars.get(variable.lower())
        if path is None or SecretStr not in (field.annotation, *getattr(field.annotation, "__args__", ())):
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{variable}: {path} cannot be read ({error.__class__.__name__})") from error


class Settings(BaseSettings):
    """Settings of one concern, from the variables ``<env_prefix><FIELD>``; an empty variable counts as unset.

    A field of type ``SecretStr`` may come from the file that ``<env_prefix><FIELD>_FILE`` names; the variable itself
    wins where both are set.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments first, then variables, then the files that variables name."""
        return init_settings, env_settings, _SecretFiles(settings_cls)

    @classmethod
    def load(cls) -> Self:
        """Read the environment.

        Raises:
            ConfigurationError: a variable is missing or has a bad value; the message names it, never its value.
        """
        try:
            return cls()
        except ValidationError as error:
            raise ConfigurationError("; ".join(_complaints(cls, error))) from None
        except SettingsError as error:
            raise ConfigurationError(str(error.__cause__ or error)) from None


def _complaints(settings: type[BaseSettings], error: ValidationError) -> list[str]:
    prefix = settings.model_config.get("env_prefix", "")
    complaints = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        message = item["msg"].removeprefix("Value error, ")
        complaints.append(f"{prefix}{str(item['loc'][0]).upper()}: {message}" if item["loc"] else message)
    return complaints


def _http_url(url: str) -> str:
    try:
        parsed = parse_url(url)
    except LocationParseError:
        raise ValueError("is not a URL") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("must be a URL such as http://127.0.0.1:9200")
    return url.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An ``http`` or ``https`` URL with a host, without a slash at its end."""


class ElasticsearchSettings(Settings):
    """How Elasticsearch is reached."""

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
