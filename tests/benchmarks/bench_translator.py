"""The translator's speed: ``python -m tests.benchmarks.bench_translator``.

Text to DSL, against luqum in one process: both keep their fields in memory and cache no results. Then the service over
HTTP, ``POST /translate`` against ``GET /healthz`` of one process that has its fields from a real Elasticsearch.

The passes of the two sides alternate, so that whatever else the machine does meets both; of the passes the quietest
counts, and of its rounds the median.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from luqum.elasticsearch import ElasticsearchQueryBuilder
from luqum.parser import parser

from elastic.bootstrap import bootstrap, templates
from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from local import ports, servers
from local.supervisor import Program, supervisor
from tests.benchmarks.http_rate import answers_per_second, request
from translator.catalogue import Catalogue
from translator.dsl import translate

_OUTPUT = Path("build/bench/translator.json")
_PASSES = 5
_ROUNDS = 30
_ROUND_SECONDS = 0.004
_HTTP_PASSES = 40
_CONNECTIONS = 8
_FIELDS = ["Hostname", "Adapters", "IpAddresses", "Owner", "Site", "OS.Type", "OS.Version"]


def _nested(levels: int, opening: str, innermost: str) -> str:
    return "".join(opening.format(level) for level in range(levels)) + innermost + ")" * levels


_TEN_CLAUSES = (
    "(Adapters = active-directory OR Adapters = intune OR Hostname = web*) AND NOT Hostname = test* AND "
    "(OS.Type = Linux OR (OS.Version = 10* AND NOT Owner = alice)) AND IpAddresses = 10.0.0.1 AND "
    "(Site = Ankara OR NOT Owner = bob)"
)
# Each query in our language and in luqum's, which refuses AND beside OR without brackets.
_QUERIES = {
    "a": ("Hostname = octoxlabs*", "Hostname:octoxlabs*"),
    "b": (
        "Adapters = active-directory AND (Hostname = a* OR IpAddresses = 192.168.0.0/16)",
        'Adapters:active-directory AND (Hostname:a* OR IpAddresses:"192.168.0.0/16")',
    ),
    "c": (_TEN_CLAUSES, _TEN_CLAUSES.replace(" = ", ":")),
    "d": (
        " OR ".join(f"Hostname = host-{number}" for number in range(100)),
        " OR ".join(f"Hostname:host-{number}" for number in range(100)),
    ),
    "e": (
        _nested(20, "(Hostname = host-{} AND ", "Owner = alice"),
        _nested(20, "(Hostname:host-{} AND ", "Owner:alice"),
    ),
}


def _microseconds(work: Callable[[], object]) -> float:
    """The median round of one pass, in microseconds a call."""
    start = time.perf_counter()
    work()
    calls = max(1, int(_ROUND_SECONDS / (time.perf_counter() - start)))
    rounds = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        for _ in range(calls):
            work()
        rounds.append((time.perf_counter() - start) / calls)
    return statistics.median(rounds) * 1e6


def _text_to_dsl() -> dict[str, dict[str, float]]:
    catalogue = Catalogue.from_mappings({"devices": templates()["devices"]["template"]["mappings"]})
    build = ElasticsearchQueryBuilder(not_analyzed_fields=_FIELDS, object_fields=["OS.Type", "OS.Version"])
    results: dict[str, dict[str, float]] = {}
    gc.disable()
    print(f"{'':3}{'sluice µs':>12}{'luqum µs':>12}{'ratio':>8}")
    for name, (ours, theirs) in _QUERIES.items():
        pairs = [
            (
                _microseconds(lambda text=ours: translate(text, catalogue)),  # type: ignore[misc]  # bound at once
                _microseconds(lambda text=theirs: build(parser.parse(text))),  # type: ignore[misc]
            )
            for _ in range(_PASSES)
        ]
        sluice, luqum = (min(column) for column in zip(*pairs, strict=True))
        results[name] = {"sluice_us": round(sluice, 2), "luqum_us": round(luqum, 2), "ratio": round(luqum / sluice, 2)}
        print(f"{name:3}{sluice:12.1f}{luqum:12.1f}{luqum / sluice:8.2f}")
    gc.enable()
    return results


def _http() -> dict[str, float]:
    health = request("GET", "/healthz")
    translation = request("POST", "/translate", orjson.dumps({"query": _QUERIES["b"][0]}))
    with _service() as port:
        pairs = [
            (answers_per_second(port, health, _CONNECTIONS), answers_per_second(port, translation, _CONNECTIONS))
            for _ in range(_HTTP_PASSES)
        ]
    healthz, translated = (max(column) for column in zip(*pairs, strict=True))
    ratio = translated / healthz
    print(f"\nGET /healthz {healthz:,.0f}/s, POST /translate (b) {translated:,.0f}/s, ratio {ratio:.2f}")
    return {
        "connections": _CONNECTIONS,
        "healthz_per_second": round(healthz),
        "translate_per_second": round(translated),
        "ratio": round(ratio, 2),
    }


@contextmanager
def _service() -> Iterator[int]:
    """The translator's process with a real Elasticsearch behind it; gives its port."""
    # Kafka is set up as well, but not started.
    *free, port = ports.free(5)
    command = [sys.executable, "-m", "translator", "serve"]
    with TemporaryDirectory(prefix="sluice-bench-") as folder:
        prepared = servers.prepare(Path(folder), (free[0], free[1]), (free[2], free[3]))
        [search] = [program for program in prepared.programs() if program.name == "elasticsearch"]
        translator = Program("translator", command, lambda: servers.answers_ok(f"http://127.0.0.1:{port}/readyz"))
        settings = {"ELASTICSEARCH_URL": prepared.elasticsearch.url, "TRANSLATOR_PORT": str(port)}
        with supervisor(Path(folder), [search, translator], settings) as running:
            running.start(search)
            with connect(ElasticsearchSettings(url=prepared.elasticsearch.url)) as client:
                bootstrap(client)
                client.indices.create(index="devices")
            running.start(translator)
            yield port


def main() -> int:
    """Measure, print tables and write them as JSON."""
    results = {**_text_to_dsl(), "http": _http()}
    _OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    _OUTPUT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
