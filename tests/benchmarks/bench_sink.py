"""The audit sink's speed: ``python -m tests.benchmarks.bench_sink --peers PYTHON``.

A topic full of events is moved into an index by the audit sink, by Quix Streams and by the loop that most people write,
and ready-made bodies are sent without Kafka over one and two connections; in turn, several times, on the same servers,
which a few passes of bodies have warmed. The clock runs from the last moment at which Elasticsearch had none of a run's
documents until it has all of them, so that nobody's start-up counts; processor time and memory are those of the whole
process.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from confluent_kafka import Producer
from elasticsearch import Elasticsearch

from audit_sink.document import bulk_lines
from audit_sink.settings import SinkSettings
from contracts.query_event.event import (
    SCHEMA_VERSION,
    AuditEvent,
    EventData,
    EventMetadata,
    EventType,
    encode,
    headers,
    new_event_id,
    rfc3339,
    write_dsl,
)
from contracts.query_event.reader import decode
from elastic.bootstrap import bootstrap
from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from indexing.projection import Place
from local import ports, servers
from local.supervisor import supervisor

_OUTPUT = Path("build/bench/sink.json")
_TOPIC = "query-events"
_USERS = 200
_POLL_SECONDS = 0.05
_RUN_SECONDS = 300
_WARMING_PASSES = 3
_SIDES = ("sluice", "quix", "loop", "ceiling of 1", "ceiling of 2")


@dataclass(frozen=True, slots=True)
class Run:
    """Figures of one run: documents a second, processor seconds, peak resident megabytes, different events found."""

    docs_per_s: float
    cpu_s: float
    rss_mb: float
    distinct: int


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers, the backlog in the topic, and the same as bulk bodies in a file."""

    prepared: servers.Servers
    client: Elasticsearch
    bodies: Path
    events: int
    peers: str

    def command(self, name: str, index: str) -> list[str]:
        """The process that fills the index."""
        port = str(self.prepared.elasticsearch.port)
        where = [self.prepared.kafka.bootstrap_servers, _TOPIC, index, self.prepared.elasticsearch.url, index]
        here = [sys.executable, "-m"]
        return {
            "sluice": [*here, "audit_sink"],
            "quix": [self.peers, "-m", "tests.benchmarks.sink_peers", "quix", *where],
            "loop": [*here, "tests.benchmarks.sink_peers", "loop", *where],
            "ceiling of 1": [*here, "tests.benchmarks.sink_ceiling", "1", port, index, str(self.bodies)],
            "ceiling of 2": [*here, "tests.benchmarks.sink_ceiling", "2", port, index, str(self.bodies)],
        }[name]

    def run(self, name: str) -> Run:
        """Fill a new index once."""
        prefix = f"query-logs-{uuid.uuid4().hex}-"
        index = f"{prefix}{datetime.now(UTC):%Y.%m.%d}"
        self.client.indices.create(index=index, wait_for_active_shards=1)
        environment = os.environ | {
            "KAFKA_BOOTSTRAP_SERVERS": self.prepared.kafka.bootstrap_servers,
            "ELASTICSEARCH_URL": self.prepared.elasticsearch.url,
            "AUDIT_SINK_GROUP_ID": index,
            "AUDIT_SINK_INDEX_PREFIX": prefix,
            "AUDIT_SINK_METRICS_PORT": str(ports.free(1)[0]),
        }
        log = self.bodies.with_name(f"{name}.log")
        with (
            log.open("wb") as output,
            subprocess.Popen(self.command(name, index), env=environment, stderr=output) as it,
        ):
            try:
                seconds, cpu, rss = self._watch(psutil.Process(it.pid), index)
            except TimeoutError:
                sys.exit(f"{name} is not done after {_RUN_SECONDS} s:\n{log.read_text(encoding='utf-8')[-2000:]}")
            finally:
                it.kill()
        distinct = self._distinct(index)
        self.client.indices.delete(index=index)
        return Run(self.events / seconds, cpu, rss, distinct)

    def _watch(self, process: psutil.Process, index: str) -> tuple[float, float, float]:
        """Seconds from the first document to the last, and the process's usage until then."""
        usage = (0.0, 0.0)
        now = begun = time.monotonic()
        deadline = now + _RUN_SECONDS
        while now < deadline:
            done = self._indexed(index)
            now = time.monotonic()
            usage = _usage(process) or usage
            if done == 0:
                begun = now
            elif done >= self.events:
                return now - begun, *usage
            time.sleep(_POLL_SECONDS)
        raise TimeoutError

    def _indexed(self, index: str) -> int:
        stats = self.client.indices.stats(index=index, metric="indexing", filter_path="_all.total.indexing.index_total")
        return int(stats["_all"]["total"]["indexing"]["index_total"])

    def _distinct(self, index: str) -> int:
        self.client.indices.refresh(index=index)
        ids: set[str] = set()
        after: list[str] | None = None
        while True:
            hits = self.client.search(
                index=index,
                size=10_000,
                sort=[{"event.id": "asc"}],
                source=False,
                search_after=after,
                filter_path="hits.hits.sort",
            ).get("hits", {"hits": []})["hits"]
            if not hits:
                return len(ids)
            ids.update(hit["sort"][0] for hit in hits)
            after = hits[-1]["sort"]


def _usage(process: psutil.Process) -> tuple[float, float] | None:
    """Processor seconds so far and the peak of resident memory in megabytes; None once the process has ended."""
    try:
        times = process.cpu_times()
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except (psutil.Error, OSError):
        return None
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return None if peak is None else (times.user + times.system, int(peak.split()[1]) * 1024 / 1e6)


def _events(count: int) -> Iterator[AuditEvent]:
    dice = random.Random(1)
    for number in range(count):
        host, user = f"web{dice.randrange(1_000)}", dice.randrange(_USERS)
        yield AuditEvent(
            new_event_id(),
            EventType.QUERY_EXECUTED,
            SCHEMA_VERSION,
            rfc3339(datetime.now(UTC)),
            f"user{user:03}",
            EventData(
                f"Hostname = {host}*",
                "devices",
                write_dsl({"prefix": {"Hostname": {"value": host}}}),
                dice.randrange(100),
                dice.randrange(20),
                200,
                None,
            ),
            EventMetadata(f"{number:08x}", None, f"10.0.1.{user}", "curl/8.14.1", "bearer", "gateway", "0.1.0"),
        )


def _fill(prepared: servers.Servers, bodies: Path, count: int, per_body: int) -> float:
    """Put the events on the topic and their documents into the file; gives the mean length of an event in bytes."""
    producer = Producer({"bootstrap.servers": prepared.kafka.bootstrap_servers, "linger.ms": 20, "acks": "all"})
    total = 0
    lines: list[bytes] = []
    with bodies.open("wb") as stored:
        for number, event in enumerate(_events(count), 1):
            value = encode(event)
            total += len(value)
            producer.produce(_TOPIC, key=event.user_id, value=value, headers=[*headers(event, None)])
            if number % 1_000 == 0:
                producer.flush()
            lines.append(bulk_lines(decode(value), Place(0, number, int(time.time() * 1000)), "query-logs-"))
            if len(lines) == per_body or number == count:
                # The index is in the path: each run has another.
                body = b"".join(_without_index(line) for line in lines)
                stored.write(b"%d\n%b" % (len(body), body))
                lines.clear()
    producer.flush()
    return total / count


def _without_index(line: bytes) -> bytes:
    start = line.index(b'"_index"')
    return line[:start] + line[line.index(b'"_id"') :]


@contextmanager
def _bench(count: int, peers: str) -> Iterator[Bench]:
    free = ports.free(4)
    with TemporaryDirectory(prefix="sluice-bench-") as folder:
        home = Path(folder)
        prepared = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
        programs = prepared.programs()
        with supervisor(home, programs, {}) as running:
            running.start(*programs)
            with connect(ElasticsearchSettings(url=prepared.elasticsearch.url), request_timeout=60.0) as client:
                bootstrap(client)
                environment = os.environ | {"KAFKA_BOOTSTRAP_SERVERS": prepared.kafka.bootstrap_servers}
                command = [sys.executable, "-m", "audit_sink", "topics"]
                subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
                bodies = home / "bodies"
                mean = _fill(prepared, bodies, count, SinkSettings.load().batch_size)
                print(f"{count:,} events of {mean:.0f} bytes on average", flush=True)
                yield Bench(prepared, client, bodies, count, peers)


def _median(runs: list[Run]) -> Run:
    return Run(
        statistics.median(run.docs_per_s for run in runs),
        statistics.median(run.cpu_s for run in runs),
        statistics.median(run.rss_mb for run in runs),
        min(run.distinct for run in runs),
    )


def main() -> int:
    """Measure, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, help="the Python that has quixstreams")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    runs: dict[str, list[Run]] = {name: [] for name in _SIDES}
    with _bench(options.events, options.peers) as bench:
        for _ in range(_WARMING_PASSES):
            bench.run("ceiling of 2")
        for _ in range(options.rounds):
            for name, done in runs.items():
                done.append(bench.run(name))
                print(f"{name:14}{done[-1]}", file=sys.stderr, flush=True)
    medians = {name: _median(done) for name, done in runs.items()}
    medians["ceiling"] = max((medians.pop(f"ceiling of {count}") for count in (1, 2)), key=lambda run: run.docs_per_s)
    print(f"{'':14}{'docs/s':>10}{'CPU s':>8}{'MB':>8}{'distinct':>10}")
    for name, run in medians.items():
        print(f"{name:14}{run.docs_per_s:10,.0f}{run.cpu_s:8.2f}{run.rss_mb:8.0f}{run.distinct:10,}")
    _OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    _OUTPUT.write_text(json.dumps({k: asdict(v) for k, v in medians.items()}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
