"""Marts by Spark where Spark cannot be started: one line, and nothing is written."""

from pathlib import Path

import pytest

from kit.settings import ConfigurationError
from lake.errors import LakeError
from lake.marts.settings import MartSettings
from lake.spark import marts
from lake.tables import Lake
from local import ports
from tests.support.lake import lake_in
from tests.support.lake_month import DAY


def test_a_spark_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "release").write_text('JAVA_VERSION="17.0.1"\n', encoding="utf-8")
    monkeypatch.setenv("SPARK_JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("SPARK_PYTHON", str(tmp_path / "python"))

    with pytest.raises(
        LakeError, match=f"SPARK_PYTHON: {tmp_path}/python cannot be started: run make spark, or set it"
    ):
        marts.write(lake_in(tmp_path), [DAY])


def test_spark_on_this_machine_reads_no_bucket() -> None:
    bucket = Lake(MartSettings(url="s3://bucket/lake"))

    with pytest.raises(LakeError, match="for a bucket, set SPARK_REMOTE to a cluster that reads it"):
        marts.write(bucket, [DAY])


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{ports.free(1)[0]}")

    with pytest.raises(LakeError, match=r"SPARK_REMOTE: 127\.0\.0\.1:\d+ cannot be reached: Connection refused"):
        marts.write(lake_in(tmp_path), [DAY])


@pytest.mark.parametrize("address", ["https://127.0.0.1", "sc://127.0.0.1:65536", "sc://"])
def test_a_bad_address_of_a_cluster_is_refused_without_its_token(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_REMOTE", f"{address}/;token=hidden")

    with pytest.raises(ConfigurationError, match="SPARK_REMOTE.*must be sc://HOST:PORT") as refused:
        marts.write(lake_in(tmp_path), [DAY])

    assert "hidden" not in str(refused.value)
