"""Size of an audit event on the disks: ``python -m tests.benchmarks.event_bytes``.

Searches of many users go through the real gateway on the embedded stack; then the bytes are counted of the topic's log
segments, and of the day's index as the sink wrote it, and after a merge.
`docs/scaling.md` reckons with these figures.
"""

import argparse
import base64
import random
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from confluent_kafka import Consumer, TopicPartition
from elasticsearch import Elasticsearch
from elasticsearch.exceptions import GeneralAvailabilityWarning

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from indexing.dead_letter import record_headers
from local import inventory, ports, servers
from local.services import Services
from local.supervisor import clean_environment, supervisor
from tests.benchmarks import output
from tests.benchmarks.typical import AGENTS, QUERIES, written_query
from tests.support.embedded_services import SERVICE_PORTS, services_on

_OUTPUT = Path("build/bench/event_bytes.json")
_USERS = [f"{first}.{last}" for first in ("ada", "bo", "chen", "dilek") for last in (f"user{n:02}" for n in range(50))]

_CONNECTIONS = 32
_LARGEST = 8
_PATIENCE_SECONDS = 120


class _BehindAnEdge(Services):
    def environment(self) -> dict[str, str]:
        """As on the embedded stack, but with the clients' addresses as an edge hands them on."""
        return super().environment() | {"GATEWAY_TRUSTED_PROXIES": "127.0.0.1/32"}


@dataclass(frozen=True, slots=True)
class Weight:  # pylint: disable=too-many-instance-attributes  # one for each figure
    """Mean bytes of one event: as it was produced, in the topic's segments, and in the primary shard."""

    events: int
    requests_per_s: float
    kafka_value: float
    kafka_key_and_headers: float
    kafka_stored: float
    elasticsearch_written: float
    elasticsearch_merged: float
    elasticsearch_by_part: dict[str, float]


def _requests(count: int) -> Iterator[str]:
    dice = random.Random(1)
    for _ in range(count):
        query = written_query(dice, QUERIES)
        body = orjson.dumps({"query": query, "size": 10, "fields": ["Hostname", "Ip"]}).decode()
        user = base64.b64encode(dice.choice(_USERS).encode()).decode()
        yield (
            f"POST /search HTTP/1.1\r\nHost: localhost\r\nAuthorization: Octoxlabs {user}\r\n"
            f"X-Forwarded-For: 10.{dice.randrange(4)}.{dice.randrange(256)}.{dice.randrange(1, 255)}\r\n"
            f"User-Agent: {dice.choice(AGENTS)}\r\n"
            f"traceparent: 00-{dice.getrandbits(128):032x}-{dice.getrandbits(64):016x}-01\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )


@contextmanager
def _stack(home: Path) -> Iterator[Services]:
    free = ports.free(4 + SERVICE_PORTS)
    base = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
    services = services_on(_BehindAnEdge, home, base, free[4:])
    programs = [*base.programs(), *services.programs()]
    with supervisor(home, programs, services.environment()) as running:
        running.start(*base.programs())
        services.prepare()
        make_users = (
            f"from gateway.identity.models import User; User.objects.bulk_create(User(username=n) for n in {_USERS!r})"
        )
        command = [sys.executable, "-m", "gateway", "shell", "--no-imports", "-c", make_users]
        subprocess.run(command, env=clean_environment(services.environment()), check=True)
        running.start(*services.programs())
        inventory.wait(services)
        yield services


def _load(services: Services, count: int) -> float:
    """Send the searches; gives the answers a second, rejections included."""
    command = [sys.executable, "-m", "tests.benchmarks.http_load", str(services.gateway_port), str(_CONNECTIONS)]
    started = time.monotonic()
    # A few more are answered than counted, as each connection has one under way at the end.
    subprocess.run(
        [*command, str(10**9), str(count)],
        input=orjson.dumps([*_requests(count + _CONNECTIONS)]),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return count / (time.monotonic() - started)


def _topic(services: Services) -> tuple[int, int, int, int]:
    """The topic's records, the bytes of their values, those of their keys and headers, and those on the disk."""
    consumer = Consumer({"bootstrap.servers": services.servers.kafka.bootstrap_servers, "group.id": "bytes"})
    partitions = consumer.list_topics("query-events", timeout=10).topics["query-events"].partitions
    starts = [TopicPartition("query-events", number, 0) for number in partitions]
    left = count = sum(consumer.get_watermark_offsets(start)[1] for start in starts)
    consumer.assign(starts)
    values = rest = 0
    while left:
        for record in consumer.consume(min(left, 10_000), 10):
            left -= 1
            values += len(record.value() or b"")
            rest += len(record.key() or b"") + sum(len(k) + len(v or b"") for k, v in record_headers(record))
    consumer.close()
    stored = sum(path.stat().st_size for path in services.home.glob("kafka/data/query-events-*/*.log"))
    return count, values, rest, stored


def _index(client: Elasticsearch, count: int) -> str:
    """Wait until the day's index has all of the events; its name."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while client.count(index="query-logs-*")["count"] < count:
        if time.monotonic() > deadline:
            sys.exit(f"the audit index lacks events after {_PATIENCE_SECONDS} s")
        time.sleep(0.5)
    indices: list[str] = [*client.indices.get(index="query-logs-*")]
    if len(indices) != 1:
        sys.exit("midnight (UTC) came in between; run it again")
    return indices[0]


def _usage(client: Elasticsearch, index: str) -> dict[str, Any]:
    """Size of the primary shard's files, in bytes; of the API's answer the one index's part."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeneralAvailabilityWarning)  # a technical preview is good enough here
        usage: dict[str, Any] = client.indices.disk_usage(index=index, run_expensive_tasks=True)[index]
    return usage


def _parts(usage: dict[str, Any]) -> dict[str, int]:
    """Bytes by what they are for, then by the fields that take the most."""
    everything, fields = usage["all_fields"], usage["fields"]
    largest = sorted(fields, key=lambda name: -int(fields[name]["total_in_bytes"]))[:_LARGEST]
    return {
        "stored fields": everything["stored_fields_in_bytes"],
        "doc values": everything["doc_values_in_bytes"],
        "inverted index": everything["inverted_index"]["total_in_bytes"],
    } | {name: fields[name]["total_in_bytes"] for name in largest}


def _weigh(services: Services, count: int) -> Weight:
    rate = _load(services, count)
    settings = ElasticsearchSettings(url=services.servers.elasticsearch.url)
    with connect(settings, request_timeout=120.0) as client:
        records, values, rest, stored = _topic(services)
        index = _index(client, records)
        written = _usage(client, index)
        client.indices.forcemerge(index=index, max_num_segments=1, wait_for_completion=True)
        merged = _usage(client, index)
    return Weight(
        events=records,
        requests_per_s=rate,
        kafka_value=values / records,
        kafka_key_and_headers=rest / records,
        kafka_stored=stored / records,
        elasticsearch_written=written["store_size_in_bytes"] / records,
        elasticsearch_merged=merged["store_size_in_bytes"] / records,
        elasticsearch_by_part={name: used / records for name, used in _parts(merged).items()},
    )


def main() -> int:
    """Measure, print a line a figure, and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000, help="how many searches are sent (60,000)")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="sluice-bytes-") as folder, _stack(Path(folder)) as services:
        weight = _weigh(services, options.events)
    figures = asdict(weight)
    for name, figure in (figures | figures.pop("elasticsearch_by_part")).items():
        print(f"{name:32}{figure:12,.1f}")
    output.write(_OUTPUT, asdict(weight))
    return 0


if __name__ == "__main__":
    sys.exit(main())
