"""Cost of watched searches: ``python -m tests.benchmarks.bench_watches``.

Processor time of the worker on the embedded stack, in percent of a core: with nobody watching, and with 500 searches
watched every five minutes; of an index that does not change, and of one that changes each second, so that no look is
left out. Looks are spread evenly over the five minutes, as are those of users who began at different times.
"""

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import urllib3

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from local import inventory, ports, servers
from local.services import Services
from local.supervisor import Supervisor, supervisor
from tests.benchmarks import output
from tests.support.embedded_services import SERVICE_PORTS, run_gateway, services_on

_OUTPUT = Path("build/bench/watches.json")
_DEVICES = 10_000
_SECONDS = 120.0
_LOOKS = re.compile(r'^gateway_watch_looks_total\{outcome="(\w+)"\} ([0-9.]+)$', re.MULTILINE)
_SITES = ("ankara", "istanbul", "izmir", "bursa")
_BEGIN = f"""
from datetime import UTC, datetime, timedelta
from gateway.identity.models import User
from gateway.saved.models import Kind, Saved, Watch
now = datetime.now(UTC)
for number in range(500):
    user = User.objects.get_or_create(username=f"watcher-{{number % 10}}")[0]
    query = f"Site = {{{_SITES}[number % 4]}} and RiskScore >= {{number % 100}}"
    content = {{"query": query, "index": "devices", "columns": None, "sort": []}}
    saved = Saved.objects.create(
        kind=Kind.SEARCH, owner=user, title=str(number), content=content, created_at=now, updated_at=now
    )
    next_at = now + timedelta(seconds=300 * number / 500)
    Watch.objects.create(saved=saved, user=user, interval=300, next_at=next_at)
"""


@contextmanager
def _stack(home: Path) -> Iterator[tuple[Services, Supervisor]]:
    free = ports.free(4 + SERVICE_PORTS)
    base = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
    services = services_on(Services, home, base, free[4:], devices=_DEVICES)
    programs = [*base.programs(), *services.programs()]
    with supervisor(home, programs, services.environment()) as running:
        running.start(*base.programs())
        services.prepare()
        running.start(*services.programs())
        inventory.wait(services)
        yield services, running


def _begin(services: Services) -> None:
    run_gateway(services, "shell", "--no-imports", "-c", _BEGIN)


def _looks(services: Services) -> dict[str, float]:
    url = f"http://127.0.0.1:{services.worker_metrics_port}/metrics"
    text = urllib3.request("GET", url, timeout=10.0).data.decode()
    return {outcome: float(count) for outcome, count in _LOOKS.findall(text)}


def _measure(services: Services, worker: psutil.Process, seconds: float = _SECONDS) -> dict[str, float]:
    """Percent of a core that the worker takes, and the looks of that time by their outcomes."""
    looks, times, began = _looks(services), worker.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, passed = worker.cpu_times(), time.monotonic() - began
    used = after.user + after.system - times.user - times.system
    counted = {outcome: count - looks[outcome] for outcome, count in _looks(services).items()}
    return {"core_percent": 100 * used / passed, **{outcome: count for outcome, count in counted.items() if count}}


@contextmanager
def _changing(services: Services) -> Iterator[None]:
    """Have a document of the index change each second."""
    ended = threading.Event()

    def change() -> None:
        with connect(ElasticsearchSettings(url=services.servers.elasticsearch.url)) as client:
            while not ended.wait(1.0):
                document = {"Hostname": "bench-watches", "Site": "van", "RiskScore": 1}
                client.index(index="devices", id="bench-watches", document=document, refresh=True)

    writer = threading.Thread(target=change)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def main() -> int:
    """Measure, print the figures and write them as JSON."""
    with TemporaryDirectory(prefix="sluice-bench-") as folder, _stack(Path(folder)) as (services, running):
        worker = psutil.Process(running.pid("worker"))
        figures = {"nobody watches": _measure(services, worker)}
        _begin(services)
        # The first look of each, which finds everything.
        time.sleep(300.0)
        figures["500 watch, nothing changes"] = _measure(services, worker)
        with _changing(services):
            figures["500 watch, the index changes"] = _measure(services, worker)
    for name, figure in figures.items():
        print(f"{name:30}", ", ".join(f"{what} {value:,.1f}" for what, value in figure.items()))
    output.write(_OUTPUT, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
