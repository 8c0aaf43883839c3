"""The marts of days made by Spark."""

import json
import os
import socket
import subprocess
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from lake.errors import LakeError
from lake.marts.tables import MARTS, day_events_sql, mart_sql
from lake.spark.java import java_home
from lake.spark.settings import SparkSettings
from lake.tables import EVENTS, Lake, TableSpec

_ANSWER_SECONDS = 5.0
_CONNECT_PORT = 15_002
"""Spark Connect's, where the address has none."""
_RUNNER = Path(__file__).with_name("runner.py")


def write(lake: Lake, days: Iterable[date]) -> None:
    """Replace the marts of days in the lake, by the same queries as DuckDB.

    Args:
        lake: the tables.
        days: the days.

    Raises:
        LakeError: Spark cannot be started, or fails; the message is its own.
        deltalake.exceptions.DeltaError: a table cannot be made.
    """
    settings = SparkSettings.load()
    if lake.settings.is_bucket and settings.remote is None:
        raise LakeError(
            "Spark on this machine reads folders: for a bucket, set SPARK_REMOTE to a cluster that reads it"
        )
    # The tables are made by one program alone, with their columns and properties.
    for spec in (EVENTS, *MARTS):
        lake.open(spec)
    job: dict[str, object] = {
        "tables": {EVENTS.name: _url(lake, EVENTS)},
        "memory": settings.memory,
        "days": [_day(lake, day) for day in days],
    }
    if settings.remote is not None:
        job["remote"] = settings.remote.get_secret_value()
    _run(settings, job)


def _day(lake: Lake, day: date) -> dict[str, object]:
    return {
        "views": [("day_events", day_events_sql(day))],
        "writes": [
            {"url": _url(lake, mart), "query": mart_sql(mart, day), "replace": f"day = '{day}'"} for mart in MARTS
        ],
    }


def _url(lake: Lake, spec: TableSpec) -> str:
    """A table's address as Hadoop writes it."""
    return lake.url(spec).replace("s3://", "s3a://", 1)


def _run(settings: SparkSettings, job: dict[str, object]) -> None:
    environment = dict(os.environ)
    if settings.remote is not None:
        _require_answer(settings.remote.get_secret_value())
    else:
        environment["JAVA_HOME"] = str(java_home(settings))
    # PySpark reads it too; the job, which nobody sees, says it.
    environment.pop("SPARK_REMOTE", None)
    try:
        result = subprocess.run(
            [settings.python, _RUNNER],
            env=environment,
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        raise LakeError(f"SPARK_PYTHON: {settings.python} cannot be started: run make spark, or set it") from None
    if result.returncode != 0:
        # Java logs before it.
        lines = result.stderr.strip().splitlines()
        raise LakeError(lines[-1] if lines else f"Spark ended with {result.returncode}")


def _require_answer(remote: str) -> None:
    """Refuse a cluster that cannot be reached: Spark's client would try for ten minutes."""
    address = urlsplit(remote)
    host, port = address.hostname or "", address.port or _CONNECT_PORT
    try:
        socket.create_connection((host, port), timeout=_ANSWER_SECONDS).close()
    except OSError as error:
        raise LakeError(f"SPARK_REMOTE: {host}:{port} cannot be reached: {error.strerror or error}") from None
