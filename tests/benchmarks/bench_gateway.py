"""The gateway's speed: ``python -m tests.benchmarks.bench_gateway``.

The gateway's ``POST /search``, its audit mode ``durable``, against Elasticsearch's own ``_search`` of the same DSL, on
the embedded stack: 1,000 query texts in rotation, one ``size`` and the same fields. Both are warmed first; then their
passes alternate at each concurrency, and of each figure the median counts.

With ``--requests`` it sends so many searches instead and prints the gateway's memory and open files on the way.
"""

import argparse
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import psutil
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from elastic.bootstrap import templates
from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from local import ports, servers
from local.demo import authorization
from local.services import Services
from local.supervisor import Supervisor, supervisor
from tests.benchmarks import output
from tests.benchmarks.http_load import Result
from tests.support.demo_index import seed
from tests.support.embedded_services import SERVICE_PORTS, services_on
from translator.catalogue import Catalogue
from translator.dsl import translate

_OUTPUT = Path("build/bench/gateway.json")
_CONCURRENCIES = (1, 8, 32)
_ALTERNATIONS = 3
_WARM_SECONDS = 10.0
_QUERIES = 1_000
_SIZE = 10
_FIELDS = ["Hostname", "Ip"]
_MEASURED = ("gateway", "translator", "elasticsearch", "kafka")
_STAGES = ("translate", "search", "audit")
_STEPS = 10
_ENDLESS = 10**9


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two things compared: where it listens, and its requests."""

    port: int
    requests: bytes

    def load(self, connections: int, seconds: float, most: int = _ENDLESS) -> Result:
        """Run one pass in a process of its own."""
        command = [sys.executable, "-m", "tests.benchmarks.http_load"]
        arguments = [str(self.port), str(connections), str(seconds), str(most)]
        result = subprocess.run([*command, *arguments], input=self.requests, stdout=subprocess.PIPE, check=True)
        return Result(**orjson.loads(result.stdout))


def _sides(services: Services) -> dict[str, Side]:
    catalogue = Catalogue.from_mappings({"devices": templates()["devices"]["template"]["mappings"]})
    texts = [f"Hostname = octoxlabs* AND NOT Owner = owner-{number}" for number in range(_QUERIES)]
    asked = [{"query": text, "size": _SIZE, "fields": _FIELDS} for text in texts]
    direct = [
        {"query": translate(text, catalogue).query, "size": _SIZE, "_source": _FIELDS, "sort": ["_doc"]}
        for text in texts
    ]
    return {
        "gateway": Side(services.gateway_port, _requests("/search", asked, f"Authorization: {authorization()}\r\n")),
        "direct": Side(services.servers.elasticsearch.port, _requests("/devices/_search", direct, "")),
    }


def _requests(path: str, bodies: list[dict[str, object]], header: str) -> bytes:
    """Whole HTTP requests, as the load generator takes them."""
    requests = []
    for body in bodies:
        text = orjson.dumps(body).decode()
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}Content-Type: application/json\r\n"
        requests.append(f"{head}Content-Length: {len(text)}\r\n\r\n{text}")
    return orjson.dumps(requests)


@contextmanager
def stack(home: Path, **own: str) -> Iterator[tuple[Services, Supervisor]]:
    """The embedded stack without the audit sink, which works when it likes, behind the answers.

    Args:
        home: the folder of its files.
        own: settings that are not its usual ones.
    """
    free = ports.free(4 + SERVICE_PORTS)
    base = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
    services = services_on(Services, home, base, free[4:], own)
    programs = {program.name: program for program in services.programs()}
    started = [programs["identity_provider"], programs["translator"], programs["gateway"]]
    with supervisor(home, [*base.programs(), *started], services.environment()) as running:
        running.start(*base.programs())
        services.prepare()
        with connect(ElasticsearchSettings(url=base.elasticsearch.url)) as client:
            seed(client, "devices")
        running.start(*started)
        yield services, running


def _processes(running: Supervisor, name: str) -> list[psutil.Process]:
    parent = psutil.Process(running.pid(name))
    return [parent, *parent.children(recursive=True)]


def _spent(services: Services, running: Supervisor) -> dict[str, float]:
    """Seconds since the start: of each process's processors, and of the gateway's requests in each of their stages."""
    spent: dict[str, float] = {}
    for name in _MEASURED:
        times = [process.cpu_times() for process in _processes(running, name)]
        spent[name] = sum(time.user + time.system for time in times)
    text = urllib3.request("GET", f"{services.gateway_url}/metrics", retries=False).data.decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "gateway_stage_seconds_sum":
                spent[sample.labels["stage"]] = sample.value
    return spent


def _compare(services: Services, running: Supervisor, seconds: float, warm: float) -> dict[str, dict[str, Any]]:
    sides = _sides(services)
    for side in sides.values():
        side.load(max(_CONCURRENCIES), warm)
    results: dict[str, dict[str, Any]] = {name: {} for name in sides}
    answers, total = 0, dict.fromkeys(_MEASURED, 0.0)
    print(f"{'':14}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}{'ratio':>8}")
    for connections in _CONCURRENCIES:
        passes, spent = _alternate(sides, services, running, connections, seconds)
        for name, each in passes.items():
            results[name][str(connections)] = _median(each)
        answered = sum(each.answers for each in passes["gateway"])
        _print(connections, results, {stage: spent[stage] / answered * 1000 for stage in _STAGES})
        answers += answered
        total = {name: used + spent[name] for name, used in total.items()}
    results["cpu_ms_per_request"] = {name: round(used / answers * 1000, 3) for name, used in total.items()}
    print("\nprocessor ms a request:", ", ".join(f"{k} {v}" for k, v in results["cpu_ms_per_request"].items()))
    return results


def _alternate(
    sides: dict[str, Side], services: Services, running: Supervisor, connections: int, seconds: float
) -> tuple[dict[str, list[Result]], dict[str, float]]:
    """Run the passes of both sides at one concurrency; also gives what the gateway's cost, as ``_spent``."""
    passes: dict[str, list[Result]] = {name: [] for name in sides}
    spent = dict.fromkeys((*_MEASURED, *_STAGES), 0.0)
    for _ in range(_ALTERNATIONS):
        before = _spent(services, running)
        passes["gateway"].append(sides["gateway"].load(connections, seconds))
        after = _spent(services, running)
        spent = {name: used + after[name] - before[name] for name, used in spent.items()}
        passes["direct"].append(sides["direct"].load(connections, seconds))
    return passes, spent


def _median(passes: list[Result]) -> dict[str, float]:
    figures = {name: statistics.median(getattr(each, name) for each in passes) for name in ("rps", "p50_ms", "p99_ms")}
    return {name: round(value, 2) for name, value in figures.items()} | {"errors": sum(each.errors for each in passes)}


def _print(connections: int, results: dict[str, dict[str, Any]], stages: dict[str, float]) -> None:
    gateway, direct = results["gateway"][str(connections)], results["direct"][str(connections)]
    for name, figures, ratio in (("gateway", gateway, gateway["rps"] / direct["rps"]), ("direct", direct, 1.0)):
        row = (
            f"{figures['rps']:12,.1f}{figures['p50_ms']:9.2f}{figures['p99_ms']:9.2f}{figures['errors']:8}{ratio:8.3f}"
        )
        print(f"{name:9}{connections:5}{row}")
    # As many requests are always under way, so the mean is their number by the rate.
    rest = connections / gateway["rps"] * 1000 - sum(stages.values())
    parts = ", ".join(f"{stage} {milliseconds:.2f}" for stage, milliseconds in (stages | {"the rest": rest}).items())
    print(f"{'':14}mean ms: {parts}", flush=True)


def _watch(services: Services, running: Supervisor, requests: int) -> None:
    """Print the gateway's memory and open files while it answers so many searches."""
    side = _sides(services)["gateway"]
    done = errors = 0
    print(f"{'requests':>9}{'errors':>8}{'resident MiB':>14}{'open files':>12}")
    for _ in range(_STEPS + 1):
        processes = _processes(running, "gateway")
        resident = sum(process.memory_info().rss for process in processes) / 2**20
        files = sum(process.num_fds() for process in processes)
        print(f"{done:9,}{errors:8,}{resident:14.1f}{files:12,}", flush=True)
        if done < requests:
            result = side.load(8, _ENDLESS, requests // _STEPS)
            done, errors = done + result.answers, errors + result.errors


def main() -> int:
    """Measure, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(
        prog="bench_gateway", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each pass takes (10)")
    parser.add_argument("--warm", type=float, default=_WARM_SECONDS, help="how long both sides are warmed (10)")
    parser.add_argument("--requests", type=int, help="watch memory and open files over so many requests instead")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="sluice-bench-") as folder, stack(Path(folder)) as (services, running):
        if options.requests is not None:
            _watch(services, running, options.requests)
            return 0
        results = _compare(services, running, options.seconds, options.warm)
    output.write(_OUTPUT, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
