"""Settings of Spark: where it is, its Java, and its cluster."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings

_CONNECT = re.compile(r"sc://[A-Za-z0-9.-]{1,253}(:(?P<port>\d{1,5}))?(/\S*)?")


def _address(remote: SecretStr | None) -> SecretStr | None:
    match = None if remote is None else _CONNECT.fullmatch(remote.get_secret_value())
    if remote is not None and (match is None or int(match["port"] or 1) not in range(1, 65_536)):
        raise ValueError("must be sc://HOST:PORT, with /;token=… after it where the cluster wants one")
    return remote


class SparkSettings(Settings):
    """The variables ``SPARK_*``."""

    model_config = SettingsConfigDict(env_prefix="SPARK_")

    python: Path = Field(
        default=Path(".venv-spark/bin/python"), description="Python of the virtual environment that has PySpark"
    )
    java_home: Path | None = Field(
        default=None, description="a Java 17 or 21; by default Debian's openjdk-17, where it is installed"
    )
    remote: Annotated[SecretStr | None, AfterValidator(_address)] = Field(
        default=None,
        description="a cluster by Spark Connect (sc://HOST:PORT, and ;token=…), instead of Spark on this machine",
    )
    memory: str = Field(default="1g", pattern=r"^\d{1,4}[mg]$", description="heap of Spark on this machine")
