"""The lake's speed: ``python -m tests.benchmarks.bench_lake``.

A topic full of events is moved into Delta Lake by the lake's writer, by Spark Structured Streaming and by the loop that
most people write, and ready-made rows are appended without Kafka; in turn, several times, on the same machine. The
clock runs from the last moment before the first record is read until the last is committed; processor time and memory
are those of the whole process. The lake writes all columns and enriches them from files of networks; it commits every
second here, or every 64 MiB, so that the last batch does not wait for its minute.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pyarrow as pa
from confluent_kafka import Producer

from contracts.query_event.event import encode, headers
from lake.spark.java import java_home
from lake.spark.settings import SparkSettings
from lake.tables import EVENTS
from local import ports, servers
from local.supervisor import supervisor
from tests.benchmarks import lake_scores, lake_years, output
from tests.benchmarks.lake_bytes import events
from tests.support.consumer_process import ServingProcess
from tests.support.lake import USER_KEY, builder, lake_in, record, settings_in
from tests.support.mmdb import write_mmdb

_OUTPUT = Path("build/bench/lake.json")
_TOPIC = "query-events"
_RUN_SECONDS = 300
_POLL_SECONDS = 0.05
_CLOSED_HOURS = timedelta(hours=8)
"""So long ago that the hour of the events is closed."""
_NETWORKS = {
    f"10.{number}.0.0/16": {"country": {"iso_code": code}, "autonomous_system_organization": f"Network {number}"}
    for number, code in enumerate(("DE", "FR", "NL", "TR"))
}


@dataclass(frozen=True, slots=True)
class Run:
    """Figures of one run.

    Attributes:
        events_per_s: events a second, from the first that is read until the last is committed.
        cpu_s: processor seconds of the whole process.
        rss_mb: its peak of resident memory, in megabytes.
        bytes_per_event: of its files.
    """

    events_per_s: float
    cpu_s: float
    rss_mb: float
    bytes_per_event: float


@dataclass(frozen=True, slots=True)
class Bench:
    """Kafka with the backlog, the same as ready-made rows in a file, and a folder for tables and logs."""

    prepared: servers.Servers
    home: Path
    rows: Path
    networks: Path
    count: int

    def environment(self, folder: Path) -> dict[str, str]:
        """The variables of a lake in a folder, with a group of its own."""
        return os.environ | {
            "KAFKA_BOOTSTRAP_SERVERS": self.prepared.kafka.bootstrap_servers,
            "LAKE_URL": lake_in(folder).settings.url,
            "LAKE_USER_KEY": USER_KEY,
            "LAKE_GROUP_ID": folder.name,
        }

    def sluice(self, folder: Path) -> Run:
        """Let the lake's writer fill a new lake."""
        folder.mkdir()
        [port] = ports.free(1)
        environment = self.environment(folder) | {
            "LAKE_MMDB": str(self.networks),
            "LAKE_COMMIT_SECONDS": "1",
            "LAKE_METRICS_PORT": str(port),
        }
        writer = ServingProcess("lake", port, environment, folder / "log")
        try:
            usage, seconds = self._watch(writer)
        finally:
            writer.kill()
        [size] = [sum(path.stat().st_size for path in (folder / "lake" / "events").rglob("*.parquet"))]
        return Run(self.count / seconds, *usage, size / self.count)

    def closed_hour(self, folder: Path) -> float:
        """Compact a lake that the writer has filled; the bytes of an event then."""
        lake_years.run(self.environment(folder), "compact")
        table = lake_in(folder).open(EVENTS)
        actions = pa.table(table.get_add_actions())
        assert sum(actions["num_records"].to_pylist()) == self.count
        return float(sum(actions["size_bytes"].to_pylist())) / self.count

    def _watch(self, writer: ServingProcess) -> tuple[tuple[float, float], float]:
        began = time.monotonic()
        deadline = began + _RUN_SECONDS
        while writer.metric("lake_records_read_total") == 0:
            began = time.monotonic()
            assert began < deadline, writer.log()
            time.sleep(_POLL_SECONDS)
        while writer.metric("lake_rows_total") < self.count:
            assert time.monotonic() < deadline, writer.log()
            time.sleep(_POLL_SECONDS)
        seconds = time.monotonic() - began
        # The program is below the process that ends it with the benchmark.
        [it] = [each for each in writer.process.children(recursive=True) if "lake" in each.cmdline()] or [
            writer.process
        ]
        return _usage(it), seconds

    def loop(self, folder: Path) -> Run:
        """Let the common loop fill a new table."""
        return self._peer("loop", self.prepared.kafka.bootstrap_servers, _TOPIC, str(folder), str(self.count))

    def spark(self, folder: Path) -> Run:
        """Let Spark Structured Streaming fill a new table."""
        settings = SparkSettings.load()
        program = (str(settings.python), "-m", "tests.benchmarks.lake_spark")
        done = subprocess.run(
            [*program, self.prepared.kafka.bootstrap_servers, _TOPIC, str(folder)],
            env=os.environ | {"JAVA_HOME": str(java_home(settings))},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_RUN_SECONDS,
        )
        return Run(**json.loads(done.stdout))

    def ceiling(self, folder: Path) -> Run:
        """Append ready-made rows to a new table."""
        return self._peer("ceiling", str(self.rows), str(folder))

    def _peer(self, *arguments: str) -> Run:
        command = [sys.executable, "-m", "tests.benchmarks.lake_peers", *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_RUN_SECONDS)
        told = json.loads(done.stdout)
        return Run(self.count / told["seconds"], told["cpu_s"], told["rss_mb"], told["bytes"] / self.count)


def _usage(process: psutil.Process) -> tuple[float, float]:
    """Processor seconds so far, and the peak of resident memory in megabytes."""
    times = process.cpu_times()
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return times.user + times.system, int(peak) * 1024 / 1e6


def _fill(prepared: servers.Servers, home: Path, count: int) -> Path:
    """Put the events on the topic, and the rows that they become into a file."""
    producer = Producer({"bootstrap.servers": prepared.kafka.bootstrap_servers, "linger.ms": 20, "acks": "all"})
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - _CLOSED_HOURS
    settings = settings_in(home)
    maker, path, total = builder(settings), home / "rows.arrow", 0
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, EVENTS.schema) as writer:
        records = []
        for number, event in enumerate(events(count, False, hour), 1):
            value = encode(event)
            total += len(value)
            producer.produce(_TOPIC, key=event.user_id, value=value, headers=[*headers(event, None)])
            records.append(record(value, number))
            if number % 10_000 == 0 or number == count:
                producer.flush()
                writer.write_batch(maker.build(records, "topic").events)
                records.clear()
    print(f"{count:,} events of {total / count:.0f} bytes on average", flush=True)
    return path


@contextmanager
def _bench(count: int) -> Iterator[Bench]:
    free = ports.free(4)
    with TemporaryDirectory(prefix="sluice-bench-") as folder:
        home = Path(folder)
        prepared = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
        kafka = [program for program in prepared.programs() if program.name == "kafka"]
        with supervisor(home, kafka, {}) as running:
            running.start(*kafka)
            environment = os.environ | {"KAFKA_BOOTSTRAP_SERVERS": prepared.kafka.bootstrap_servers}
            command = [sys.executable, "-m", "audit_sink", "topics"]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            networks = write_mmdb(home / "networks.mmdb", _NETWORKS)
            yield Bench(prepared, home, _fill(prepared, home, count), networks, count)


def _week(bench: Bench, rows: int) -> dict[str, Any]:
    """Time what is done with a week of so many events: a report of them as they are, their marts, an erasure."""
    folder = bench.home / "week"
    folder.mkdir()
    lake, today = lake_in(folder), datetime.now(UTC).date()
    lake_years.fill(lake, rows, [today - timedelta(days=back) for back in range(7, 0, -1)])
    environment = bench.environment(folder)
    days = ("--from", str(today - timedelta(days=7)), "--to", str(today))
    report = lake_years.run(environment, "report", *days)
    marts = lake_years.run(environment, "marts")
    of_marts = lake_years.run(environment, "report", *days)
    erase = lake_years.run(environment, "erase", "--user", lake_years.name(7), "--delete", "a request")
    hits = int(erase.output.splitlines()[-1].removeprefix("hits "))
    timed = {"report": report, "marts": marts, "report_of_marts": of_marts, "erase": erase}
    figures = {name: {"rows": rows, "seconds": each.seconds, "rss_mb": each.rss_mb} for name, each in timed.items()}
    figures["erase"]["hits"] = hits
    return figures


def _median(runs: list[Run]) -> Run:
    return Run(*(statistics.median(values) for values in zip(*(asdict(run).values() for run in runs), strict=True)))


def main() -> int:
    """Measure, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_lake", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the lake that is reported on")
    options = parser.parse_args()
    runs: dict[str, list[Run]] = {"sluice": [], "spark": [], "loop": [], "ceiling": []}
    with _bench(options.events) as bench:
        for number in range(options.rounds):
            for name, done in runs.items():
                done.append(getattr(bench, name)(bench.home / f"{name}-{number}"))
                print(f"{name:10}{done[-1]}", file=sys.stderr, flush=True)
        closed = bench.closed_hour(bench.home / f"sluice-{options.rounds - 1}")
        week = _week(bench, options.rows)
    figures: dict[str, Any] = {name: asdict(_median(done)) for name, done in runs.items()}
    # What stays, once the hour is closed; the others are not compacted.
    figures["sluice"]["bytes_per_event"] = closed
    print(f"{'':10}{'events/s':>10}{'CPU s':>8}{'MB':>8}{'B/event':>9}")
    for name in runs:
        run = figures[name]
        print(
            f"{name:10}{run['events_per_s']:10,.0f}{run['cpu_s']:8.2f}{run['rss_mb']:8.0f}{run['bytes_per_event']:9.0f}"
        )
    for name, each in week.items():
        print(f"{name:16}{each}", flush=True)
    scores = lake_scores.measure(seed=1, people=200)
    print(f"{'scores':16}{scores}")
    figures |= week | {"scores": {name: scores[name] for name in ("recall", "false_alarms")}}
    output.write(_OUTPUT, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
