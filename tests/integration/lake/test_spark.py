"""Spark makes the same marts as DuckDB, row by row, on this machine and on a cluster."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lake.errors import LakeError
from lake.marts.build import rebuild
from lake.marts.settings import MartSettings
from lake.marts.tables import MARTS
from lake.spark.java import java_home
from lake.spark.settings import SparkSettings
from local import ports
from tests.support.lake import lake_in
from tests.support.lake_month import DAY, Month
from tests.support.paths import ROOT
from tests.support.waiting import eventually

pytestmark = pytest.mark.spark

BEFORE = DAY - timedelta(1)
_VENV = ROOT / ".venv-spark"

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def _spark(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (_VENV / "made.stamp").exists():
        pytest.skip("Spark is not set up: make spark")
    try:
        java_home(SparkSettings())
    except LakeError as error:
        pytest.skip(str(error))
    monkeypatch.setenv("SPARK_PYTHON", str(_VENV / "bin" / "python"))


@pytest.fixture
def settings(tmp_path: Path) -> MartSettings:
    """A lake with two days of events of each kind that a mart counts, and of some that come twice."""
    month = Month()
    for day in (BEFORE, DAY):
        for number in range(120):
            month.search(
                f"user{number % 7}",
                day,
                number % 24,
                hits=number if number % 5 else None,
                took_ms=number * 7 % 31 if number % 5 else None,
                fields=["Hostname", "Ip"][: number % 3],
                shape=[None, "Hostname = ?", "Ip = ? AND Hostname = ?", "Größe > ?"][number % 4],
                asset_owner=[None, "net ops", "büro"][number % 3],
                index=["devices", "software", None][number % 3],
                country=[None, "DE"][number % 2],
                event_id=f"{day}-{number // 2 if number % 10 == 1 else number}",
            )
        for number, kind in enumerate(("query.denied", "query.throttled", "auth.failed", "inventory.denied")):
            month.search("user1", day, number, event_type=kind, status=403, error_code="forbidden", hits=None)
        month.search("nobody", day, user_id=None, user_key=None)
        month.search("nobody", day, user_id=None, user_key=None, event_type="inventory.read", hits=None)
    month.write(lake_in(tmp_path))
    return MartSettings(url=str(tmp_path / "lake"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of Spark Connect with Delta, as a cluster has it; gives its address."""
    folder = tmp_path_factory.mktemp("cluster")
    [home] = _VENV.glob("lib/python*/site-packages/pyspark")
    port = ports.free(1)[0]
    configuration = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    options = [part for name, value in configuration.items() for part in ("--conf", f"{name}={value}")]
    log = folder / "connect.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [
                *(str(home / "bin" / "spark-submit"), "--master", "local[2]", *options),
                *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"),
            ],
            env={"JAVA_HOME": str(java_home(SparkSettings())), "SPARK_HOME": str(home), "PATH": "/usr/bin:/bin"},
            cwd=folder,
            stdout=output,
            stderr=output,
        ) as server,
    ):
        try:
            eventually(lambda: ports.answers(port) or server.poll() is not None, "Spark Connect answers", within=120)
            assert server.poll() is None, log.read_text(encoding="utf-8")
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.terminate()


def _marts(settings: MartSettings) -> Rows:
    lake = lake_in(Path(settings.url).parent)
    return {
        mart.name: sorted(
            map(tuple, (row.values() for row in lake.open(mart).to_pyarrow_table().to_pylist())), key=repr
        )
        for mart in MARTS
    }


def test_spark_and_duckdb_make_the_same_marts_row_by_row(settings: MartSettings) -> None:
    rebuild(settings, [BEFORE, DAY])
    by_duckdb = _marts(settings)

    # Once more over what is there: each engine replaces whole days of the other's.
    rebuild(settings, [BEFORE, DAY], by_spark=True)

    assert all(by_duckdb.values())
    assert _marts(settings) == by_duckdb


def test_a_cluster_makes_the_same_marts(settings: MartSettings, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_REMOTE", cluster)
    rebuild(settings, [DAY], by_spark=True)
    by_cluster = _marts(settings)

    rebuild(settings, [DAY])

    assert all(by_cluster.values())
    assert _marts(settings) == by_cluster


def test_what_fails_on_spark_is_one_line(settings: MartSettings, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_REMOTE", cluster)
    for file in Path(settings.url).glob("events/day=*/hour=3/*.parquet"):
        file.unlink()

    with pytest.raises(LakeError, match="^Spark: .+$") as failed:
        rebuild(settings, [DAY], by_spark=True)

    assert "\n" not in str(failed.value)
