"""Settings from the environment: the base that every service shares."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from opentelemetry.util.re import parse_env_headers
from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

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
            content = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{variable}: {path} cannot be read ({error.__class__.__name__})") from error
        return content or None, field_name, False


class Settings(BaseSettings):
    """Settings of one concern, from the variables ``<env_prefix><FIELD>``; an empty variable, or file, counts as unset.

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
        AnyHttpUrl(url)
    except ValidationError:
        raise ValueError("must be a URL such as http://127.0.0.1:9200") from None
    return url.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An ``http`` or ``https`` URL with a host, without a slash at its end."""


def _key_value_list(pairs: SecretStr | None) -> SecretStr | None:
    if pairs is not None and not _KEY_VALUE_LIST.fullmatch(pairs.get_secret_value()):
        raise ValueError("must be a list such as name=value,name=value")
    return pairs


_KEY_VALUE_LIST = re.compile(r"\s*[\w.%-]+\s*=[^,]*(,\s*[\w.%-]+\s*=[^,]*)*", re.ASCII)


class TracingSettings(Settings):
    """Whether spans are exported, and where to: the usual variables of OpenTelemetry.

    The SDK reads these and others by itself. They are checked here because it would only warn of a bad value.
    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """

    model_config = SettingsConfigDict(env_prefix="OTEL_")

    sdk_disabled: bool = False
    traces_exporter: Literal["otlp", "none"] | None = None
    exporter_otlp_endpoint: HttpUrl | None = None
    exporter_otlp_protocol: Literal["http/protobuf"] = "http/protobuf"
    exporter_otlp_headers: Annotated[SecretStr | None, AfterValidator(_key_value_list)] = None
    service_name: str | None = None
    resource_attributes: str | None = Field(default=None, pattern=f"^({_KEY_VALUE_LIST.pattern})$")
    traces_sampler: Literal[
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ] = "parentbased_always_on"
    traces_sampler_arg: float = Field(default=1.0, ge=0, le=1)

    @property
    def on(self) -> bool:
        """Whether there is tracing: where an exporter is asked for, or at least its address is given."""
        if self.sdk_disabled:
            return False
        return self.traces_exporter == "otlp" or (
            self.traces_exporter is None and self.exporter_otlp_endpoint is not None
        )

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of every export to the collector."""
        headers = self.exporter_otlp_headers
        return {} if headers is None else parse_env_headers(headers.get_secret_value(), liberal=True)
