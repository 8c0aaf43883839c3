"""Java that Spark is started on, checked before anything is written."""

from pathlib import Path

import pytest

from lake.errors import LakeError
from lake.spark.java import java_home
from lake.spark.settings import SparkSettings


def _java(folder: Path, version: str) -> SparkSettings:
    (folder / "release").write_text(f'IMPLEMENTOR="Debian"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
    return SparkSettings(java_home=folder)


@pytest.mark.parametrize("version", ["17.0.21.1", "21.0.5", "17"])
def test_java_17_and_21_are_taken(version: str, tmp_path: Path) -> None:
    assert java_home(_java(tmp_path, version)) == tmp_path


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("25.0.2", "does not run on Java 25.0.2 in .*: it needs 17 or 21; 25.0.2 corrupts data under G1"),
        ("11.0.2", "does not run on Java 11.0.2 in .*: it needs 17 or 21; set SPARK_JAVA_HOME to one"),
        ("1.8.0_402", "does not run on Java 1.8.0_402"),
        ("", "does not run on Java unknown"),
    ],
)
def test_any_other_java_is_refused_with_the_reason(version: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=reason):
        java_home(_java(tmp_path, version))


def test_a_folder_without_java_is_named(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=f"SPARK_JAVA_HOME: {tmp_path} is no Java"):
        java_home(SparkSettings(java_home=tmp_path))
