"""Settings of the room ``http``: workers, threads, hosts, proxies, rates, the database and the time of a request."""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_settings import NoDecode, SettingsConfigDict

from gateway.http.database import read_database_url
from kit.settings import Settings


def _comma_separated(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _redis_url(url: SecretStr | None) -> SecretStr | None:
    if url is not None and not re.match(r"(rediss?|redis\+unix)://.", url.get_secret_value()):
        raise ValueError("must be a URL such as redis://127.0.0.1:6379/0")
    return url


def _database_url(url: SecretStr) -> SecretStr:
    read_database_url(url.get_secret_value())
    return url


COMMA_SEPARATED = (NoDecode, BeforeValidator(_comma_separated))
"""Annotations of a tuple that the environment gives as a list with commas."""
Rate = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$")]
"""A rate, such as ``600/minute``."""
Seconds = Annotated[float, Field(gt=0, le=60)]
"""A time-out in seconds."""
_Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s*]+$")]


class HttpSettings(Settings):
    """Variables ``GATEWAY_<FIELD>`` of the room ``http``. Time-outs are in seconds."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    # The rooms above size what they keep for each worker, or for each thread, by these.
    workers: int = Field(default=1, ge=1, le=64)
    threads: int = Field(default=32, ge=1, le=256)
    allowed_hosts: Annotated[tuple[str, ...], *COMMA_SEPARATED] = ("localhost", "127.0.0.1", "[::1]")
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], *COMMA_SEPARATED] = ()
    cors_origins: Annotated[tuple[_Origin, ...], *COMMA_SEPARATED] = ()
    # A secret, because PostgreSQL's may hold a password.
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = SecretStr("sqlite:///sluice.db")
    redis_url: Annotated[SecretStr | None, AfterValidator(_redis_url)] = None
    user_rate: Rate = "600/minute"
    typing_rate: Rate = "600/minute"
    address_rate: Rate = "1200/minute"
    request_timeout: Seconds = 20.0
    body_timeout: Seconds = 10.0
