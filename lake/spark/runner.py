"""Program that runs statements on Spark; it has PySpark alone, and is started as a file with a job on standard input.

The job is a JSON object: ``tables`` (a view's name → the address of a Delta table), ``days``, a list of days, each with
``views`` (pairs of a name and a query, kept while the day is made) and ``writes`` (``url``, ``query`` and ``replace``,
the condition of the rows that the query's rows replace).
"""

# pylint: disable=import-error,import-outside-toplevel  # PySpark is in an environment of its own

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_DELTA = re.compile(r"delta-spark_(?P<spark>\d+\.\d+)_[\d.]+-(?P<delta>[\d.]+)\.jar")


def main() -> int:
    """Run the job; errors are one line on standard error."""
    import pyspark
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    job = json.load(sys.stdin)
    # A cluster has archives of its own.
    complaint = None if "remote" in job else misfit(Path(pyspark.__file__).parent / "jars", pyspark.__version__)
    if complaint is not None:
        print(complaint, file=sys.stderr)
        return 1
    spark = session(job)
    try:
        run(spark, job)
    except (PySparkException, Py4JError) as error:
        print(f"Spark: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return 1
    finally:
        spark.stop()
    return 0


def session(job: dict[str, Any]) -> SparkSession:
    """Start Spark on this machine, or reach the job's cluster."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("sluice-lake").config("spark.sql.session.timeZone", "UTC")
    if "remote" in job:
        return builder.remote(job["remote"]).getOrCreate()
    return (
        builder.master("local[2]")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.driver.memory", job["memory"])
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        # By default 200, which is made for a cluster: most of them would be empty tasks here.
        .config("spark.sql.shuffle.partitions", str(2 * (os.cpu_count() or 1)))
        .config("spark.databricks.delta.snapshotPartitions", "2")
        .getOrCreate()
    )


def run(spark: SparkSession, job: dict[str, Any]) -> None:
    """Make each day's views and write what the queries give."""
    for name, url in job["tables"].items():
        spark.read.format("delta").load(url).createOrReplaceTempView(name)
    for day in job["days"]:
        for name, query in day["views"]:
            spark.sql(query).createOrReplaceTempView(name)
            spark.catalog.cacheTable(name)
        for write in day["writes"]:
            rows = spark.sql(write["query"]).coalesce(1)
            target = rows.write.format("delta").mode("overwrite").option("replaceWhere", write["replace"])
            target.save(write["url"])
        for name, _ in day["views"]:
            spark.catalog.uncacheTable(name)


def misfit(jars: Path, spark: str) -> str | None:
    """Say how the archive of Delta does not fit Spark, which would fail in the middle of a job.

    Args:
        jars: the folder of Spark's archives.
        spark: Spark's version.
    """
    found = [match for match in map(_DELTA.fullmatch, (path.name for path in jars.iterdir())) if match]
    if len(found) != 1:
        return f"{jars} has {len(found)} archives delta-spark_*.jar, and one is needed: run make spark"
    if found[0]["spark"] != ".".join(spark.split(".")[:2]):
        made = f"Delta {found[0]['delta']} is made for Spark {found[0]['spark']}"
        return f"{made}, and this is Spark {spark}: run make spark"
    return None


if __name__ == "__main__":
    sys.exit(main())
