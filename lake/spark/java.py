"""Java that Spark runs on."""

import re
from pathlib import Path

from lake.errors import LakeError
from lake.spark.settings import SparkSettings

_VERSIONS = ("17", "21")
"""Versions that Spark 4.2 is made for (https://spark.apache.org/docs/4.2.0/)."""


def java_home(settings: SparkSettings) -> Path:
    """Find the Java that Spark is to run on, and check it before anything is written.

    Raises:
        LakeError: there is none, or one that Spark must not run on.
    """
    home = settings.java_home or next(iter(sorted(Path("/usr/lib/jvm").glob("java-17-openjdk-*"))), None)
    if home is None:
        raise LakeError("Spark needs Java 17: install openjdk-17-jre-headless, or set SPARK_JAVA_HOME to one")
    try:
        release = (home / "release").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise LakeError(f"SPARK_JAVA_HOME: {home} is no Java (its file release cannot be read)") from None
    match = re.search(r'^JAVA_VERSION="(?P<version>(?P<major>\d+)[^"]*)"', release, re.MULTILINE)
    if match is None or match["major"] not in _VERSIONS:
        found = match["version"] if match else "unknown"
        why = "; 25.0.2 corrupts data under G1 (JDK-8377811)" if found.startswith("25") else ""
        raise LakeError(
            f"Spark does not run on Java {found} in {home}: it needs 17 or 21{why}; set SPARK_JAVA_HOME to one"
        )
    return home
