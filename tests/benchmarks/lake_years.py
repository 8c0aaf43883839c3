"""A large lake made at once, without Kafka, and what commands take over it."""

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb
import psutil
import pyarrow as pa
from deltalake import WriterProperties, write_deltalake

from lake.tables import EVENTS, Lake
from lake.user_key import UserKeys

_USERS = 1_000
_HOURS = 24
_PROPERTIES = WriterProperties(compression="ZSTD", compression_level=3)
_POLL_SECONDS = 0.05


def name(user: int) -> str:
    """Name of one of 1,000 users."""
    return f"person.number{user:03}"


@dataclass(frozen=True, slots=True)
class Command:
    """Cost of a command: its output, seconds, and the peak of its resident memory in megabytes."""

    output: str
    seconds: float
    rss_mb: float


def fill(lake: Lake, rows: int, days: list[date]) -> None:
    """Write searches of 1,000 users, spread evenly over days and hours, as compacted hours have them.

    Args:
        lake: an empty lake.
        rows: how many in all.
        days: the days, UTC.
    """
    keys = UserKeys(lake.settings)
    connection = duckdb.connect()
    connection.execute("CREATE TABLE users (number INTEGER, name VARCHAR, key VARCHAR)")
    connection.executemany(
        "INSERT INTO users VALUES (?, ?, ?)", [(user, name(user), keys.of(name(user))) for user in range(_USERS)]
    )
    per_hour = rows // (len(days) * _HOURS)
    for number, (day, hour) in enumerate((day, hour) for day in days for hour in range(_HOURS)):
        made = connection.sql(_HOUR, params={"day": day, "hour": hour, "rows": per_hour, "first": number * per_hour})
        batch = made.to_arrow_table()
        nothing = pa.nulls(batch.num_rows)
        columns = {field.name: nothing for field in EVENTS.schema} | dict(
            zip(batch.column_names, batch.columns, strict=True)
        )
        rows_of_hour = pa.table(columns).cast(EVENTS.schema)
        write_deltalake(lake.open(EVENTS), rows_of_hour, mode="append", writer_properties=_PROPERTIES)


_HOUR = """
WITH numbers AS (SELECT range AS number, hash(range + $first) AS dice FROM range($rows))
SELECT
  CAST($day AS DATE) AS day,
  CAST($hour AS INTEGER) AS hour,
  CAST($day AS TIMESTAMP) + to_hours($hour) + to_microseconds(CAST(numbers.number * 3600e6 / $rows AS BIGINT)) AS time,
  CAST(uuid() AS VARCHAR) AS event_id,
  CASE WHEN dice % 30 = 0 THEN 'query.denied' ELSE 'query.executed' END AS event_type,
  users.name AS user_id,
  users.key AS user_key,
  format('Site = site{} AND Hostname = web{}*', dice % 40, dice % 997) AS query,
  'Site = ? AND Hostname = ?' AS shape,
  ['Hostname', 'Site'] AS fields,
  format('index{}', dice % 5) AS index,
  format('{{"prefix":{{"Hostname":{{"value":"web{}"}}}}}}', dice % 997) AS dsl,
  dice % 100 AS hits,
  CAST(dice % 40 AS INTEGER) AS took_ms,
  CASE WHEN dice % 30 = 0 THEN 403 ELSE 200 END AS status,
  CAST(uuid() AS VARCHAR) AS request_id,
  format('10.0.{}.{}', users.number % 4, users.number % 250) AS client_ip,
  format('10.0.{}.0/24', users.number % 4) AS network,
  'curl/8.14.1' AS user_agent,
  'bearer' AS auth_scheme,
  'gateway' AS service,
  '0.1.0' AS service_version,
  'topic' AS topic_id,
  CAST(numbers.number % 6 AS INTEGER) AS partition,
  $first + numbers.number AS "offset",
  CAST($day AS TIMESTAMP) + to_hours($hour) + to_microseconds(CAST(numbers.number * 3600e6 / $rows AS BIGINT)) AS kafka_time
FROM numbers JOIN users ON users.number = dice // 7 % 1000
ORDER BY user_key, query, time
"""


def run(environment: Mapping[str, str], *arguments: str) -> Command:
    """Run a command of the lake to its end.

    Raises:
        subprocess.CalledProcessError: it fails.
    """
    began, peak = time.monotonic(), 0
    with psutil.Popen(
        [sys.executable, "-m", "lake", *arguments], env=dict(environment), stdout=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None:
            try:
                peak = max(peak, process.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(_POLL_SECONDS)
        printed = process.stdout.read()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments, printed)
    return Command(printed, time.monotonic() - began, peak / 1e6)
