"""Settings of Spark: where it is, its Java, and its cluster."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings


class SparkSettings(Settings):
    """The variables ``SPARK_*``."""

    model_config = SettingsConfigDict(env_prefix="SPARK_")

    python: Path = Field(
        default=Path(".venv-spark/bin/python"), description="Python of the virtual environment that has PySpark"
    )
    java_home: Path | None = Field(
        default=None, description="a Java 17 or 21; by default Debian's openjdk-17, where it is installed"
    )
    remote: str | None = Field(
        default=None,
        pattern=r"^sc://[A-Za-z0-9.-]{1,253}(:\d{1,5})?(/\S*)?$",
        description="a cluster by Spark Connect (sc://HOST:PORT), instead of Spark on this machine",
    )
    memory: str = Field(default="1g", pattern=r"^\d{1,4}[mg]$", description="heap of Spark on this machine")
