"""The archives of Spark, which have to fit each other before a job begins."""

from pathlib import Path

from lake.spark.runner import misfit


def test_a_delta_that_is_made_for_this_spark_fits(tmp_path: Path) -> None:
    (tmp_path / "delta-spark_4.2_2.13-4.4.0.jar").touch()
    (tmp_path / "spark-core_2.13-4.2.0.jar").touch()

    assert misfit(tmp_path, "4.2.0") is None


def test_a_delta_that_is_made_for_another_spark_is_named_with_both_versions(tmp_path: Path) -> None:
    (tmp_path / "delta-spark_4.1_2.13-4.3.0.jar").touch()

    assert misfit(tmp_path, "4.2.0") == "Delta 4.3.0 is made for Spark 4.1, and this is Spark 4.2.0: run make spark"


def test_no_delta_and_two_of_them_are_named(tmp_path: Path) -> None:
    assert (
        misfit(tmp_path, "4.2.0") == f"{tmp_path} has 0 archives delta-spark_*.jar, and one is needed: run make spark"
    )
    for version in ("4.3.0", "4.4.0"):
        (tmp_path / f"delta-spark_4.2_2.13-{version}.jar").touch()
    assert str(misfit(tmp_path, "4.2.0")).startswith(f"{tmp_path} has 2 archives")
