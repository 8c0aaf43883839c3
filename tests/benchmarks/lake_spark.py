"""Spark Structured Streaming on one machine, from a topic into Delta Lake, for comparison with the lake's writer.

``.venv-spark/bin/python -m tests.benchmarks.lake_spark BOOTSTRAP TOPIC FOLDER`` reads the whole topic, with Java 17 in
``JAVA_HOME``. The figures are one line of JSON. Their clock runs from the start of the stream, in a Spark that is up
already, until the last event is committed; processor time and memory are those of Python and Java together, their
start included. It imports nothing that Spark's virtual environment lacks.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

# pylint: disable=import-error  # PySpark has a virtual environment of its own.
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

_CORES = 2
_ROWS_PER_COMMIT = 50_000
_SETTINGS = {
    "spark.driver.memory": "1g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": str(_CORES),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Reading a table's log in 50 tasks takes longer than anything else.
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.parquet.compression.codec": "zstd",
}
_EVENT = """
  event_id STRING, event_type STRING, timestamp TIMESTAMP, user_id STRING,
  data STRUCT<
    query: STRING, index: STRING, dsl: STRING, hits: BIGINT, took_ms: INT, status: INT,
    error: STRUCT<code: STRING, message: STRING>
  >,
  metadata STRUCT<
    request_id: STRING, client_ip: STRING, user_agent: STRING, auth_scheme: STRING, service: STRING,
    service_version: STRING
  >
"""


def _session() -> SparkSession:
    builder = SparkSession.builder.master(f"local[{_CORES}]")
    for name, value in _SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _rows(records: DataFrame) -> DataFrame:
    """The columns that the common loop writes too; nothing is checked or added."""
    decoded = records.select(
        f.from_json(f.col("value").cast("string"), _EVENT).alias("event"), f.col("partition"), f.col("offset")
    )
    return decoded.select(
        f.to_date("event.timestamp").alias("day"),
        f.hour("event.timestamp").alias("hour"),
        f.col("event.timestamp").alias("time"),
        *(f.col(f"event.{name}") for name in ("event_id", "event_type", "user_id")),
        *(f.col(f"event.data.{name}") for name in ("query", "index", "dsl", "hits", "took_ms", "status")),
        f.col("event.data.error.code").alias("error_code"),
        f.col("event.data.error.message").alias("error_message"),
        f.col("event.metadata.*"),
        f.col("partition"),
        f.col("offset"),
    )


def stream(spark: SparkSession, bootstrap: str, topic: str, folder: Path) -> None:
    """Append all that is on the topic to a Delta table, ``_ROWS_PER_COMMIT`` records a commit."""
    records = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", _ROWS_PER_COMMIT)
        .load()
    )
    writer = _rows(records).writeStream.format("delta").partitionBy("day", "hour")
    query = writer.option("checkpointLocation", f"{folder}-checkpoint").trigger(availableNow=True).start(str(folder))
    query.awaitTermination()


def _java(pid: int) -> tuple[float, int]:
    """Processor seconds and peak of resident bytes of a process."""
    ticks = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), int(peak) * 1024


def main() -> None:
    """Run the stream, and print its figures."""
    bootstrap, topic, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    spark = _session()
    began = time.monotonic()
    stream(spark, bootstrap, topic, folder)
    seconds = time.monotonic() - began
    java = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()  # pylint: disable=protected-access
    own = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s, peak = _java(java)
    count = spark.read.format("delta").load(str(folder)).count()
    figures = {
        "events_per_s": count / seconds,
        "cpu_s": cpu_s + own.ru_utime + own.ru_stime,
        "rss_mb": (peak + own.ru_maxrss * 1024) / 1e6,
        "bytes_per_event": sum(path.stat().st_size for path in folder.rglob("*.parquet")) / count,
    }
    spark.stop()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
