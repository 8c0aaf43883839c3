"""Other ways to bring a topic's events into Delta Lake, each of which prints what it took.

``python -m tests.benchmarks.lake_peers loop BOOTSTRAP TOPIC FOLDER COUNT`` and ``… ceiling FILE FOLDER``. The figures
are one line of JSON: seconds from the first record until the last is committed, processor seconds and peak resident
megabytes of the whole process.
"""

import json
import resource
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from confluent_kafka import Consumer
from deltalake import WriterProperties, write_deltalake

_ROWS_PER_COMMIT = 50_000
_PROPERTIES = WriterProperties(compression="ZSTD", compression_level=3)


def loop(bootstrap: str, topic: str, folder: str, count: int) -> float:
    """The loop that most people write: consume, decode, a table of the rows, append; nothing is checked or added."""
    settings = {"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    consumer.subscribe([topic])
    rows: list[dict[str, Any]] = []
    done, began = 0, 0.0
    while done < count:
        for record in consumer.consume(1_000, 1.0):
            if record.error() is None:
                began = began or time.monotonic()
                rows.append(_row(json.loads(record.value() or b""), record.partition() or 0, record.offset() or 0))
        if len(rows) >= _ROWS_PER_COMMIT or done + len(rows) == count:
            _append(folder, pa.Table.from_pylist(rows))
            consumer.commit(asynchronous=False)
            done += len(rows)
            rows = []
    seconds = time.monotonic() - began
    consumer.close()
    return seconds


def ceiling(file: str, folder: str) -> float:
    """Ready-made rows of all columns, appended without Kafka."""
    with pa.memory_map(file) as source:
        batches = pa.ipc.open_file(source).read_all().combine_chunks()
        began = time.monotonic()
        for start in range(0, batches.num_rows, _ROWS_PER_COMMIT):
            _append(folder, batches.slice(start, _ROWS_PER_COMMIT))
        return time.monotonic() - began


def _row(event: dict[str, Any], partition: int, offset: int) -> dict[str, Any]:
    data, metadata = event["data"], event["metadata"]
    when = datetime.fromisoformat(event["timestamp"]).astimezone(UTC)
    return {
        "day": when.date(),
        "hour": when.hour,
        "time": when,
        "event_id": event["event_id"],
        "event_type": event["event_type"],
        "user_id": event["user_id"],
        "query": data["query"],
        "index": data["index"],
        "dsl": json.dumps(data["dsl"]),
        "hits": data["hits"],
        "took_ms": data["took_ms"],
        "status": data["status"],
        "error_code": data["error"] and data["error"]["code"],
        "error_message": data["error"] and data["error"]["message"],
        "request_id": metadata["request_id"],
        "client_ip": metadata["client_ip"],
        "user_agent": metadata["user_agent"],
        "auth_scheme": metadata["auth_scheme"],
        "service": metadata["service"],
        "service_version": metadata["service_version"],
        "partition": partition,
        "offset": offset,
    }


def _append(folder: str, rows: pa.Table) -> None:
    write_deltalake(folder, rows, mode="append", partition_by=["day", "hour"], writer_properties=_PROPERTIES)


def main() -> None:
    """Run one, and print its figures."""
    name, *arguments = sys.argv[1:]
    if name == "ceiling":
        file, folder = arguments
        seconds = ceiling(file, folder)
    else:
        bootstrap, topic, folder, count = arguments
        seconds = loop(bootstrap, topic, folder, int(count))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "seconds": seconds,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "rss_mb": usage.ru_maxrss * 1024 / 1e6,
        "bytes": sum(path.stat().st_size for path in Path(folder).rglob("*.parquet")),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
