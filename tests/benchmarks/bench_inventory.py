"""The inventory's speed: ``python -m tests.benchmarks.bench_inventory --peers PYTHON``.

The embedded stack on a PostgreSQL that waits for the disk at each commit. First each stage alone, some times, with the
stages behind it stopped: an import of new documents, the relay's publishing of them, and their indexing; in turn with
the same documents as ready-made bulk bodies, sent without Kafka into an index of the same mapping. Then with everything
running: writes of single documents, in turn with Kinto on the same PostgreSQL; how long a change takes until a search
has it; and a rebuild under searches and writes. Of what is done several times the median counts.
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import orjson
import psycopg
import urllib3
from elasticsearch import Elasticsearch
from psycopg.conninfo import make_conninfo

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from local import ports, servers
from local.inventory import authorization
from local.services import OPERATOR, Services
from local.supervisor import Program, clean_environment, supervisor
from tests.benchmarks import http_writes, inventory_peer, output
from tests.benchmarks.http_load import percentile
from tests.support.embedded_services import SERVICE_PORTS, services_on
from tests.support.postgresql import PostgreSQL, postgresql
from tests.support.process import python, running

_OUTPUT = Path("build/bench/inventory.json")
_TYPE = "product"
_ALIAS = "products"
_NDJSON = "application/x-ndjson"
_CONNECTIONS = 8
_PER_BODY = 1_000
_WITHIN_SECONDS = 600
_POLL_SECONDS = 0.02
_SYNCS = 200
_SYNC_BYTES = 8 * 1024


class _OnPostgreSQL(Services):
    def fixed(self) -> dict[str, str]:
        """As on the embedded stack, but with the data in the database that ``own`` names."""
        return super().fixed() | {"GATEWAY_DATABASE_URL": self.own["GATEWAY_DATABASE_URL"]}


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds from a write until a search has it, and how many searches did not have it although they should."""

    p50: float
    p99: float
    stale: int


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A rebuild: its documents, how long it took, and how many searches failed or missed meanwhile."""

    documents: int
    seconds: float
    failed_searches: int


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers and what asks them; the gateway runs, and the worker and the indexer when they are told to."""

    services: Services
    client: Elasticsearch
    database: "psycopg.Connection[Any]"
    server: PostgreSQL
    kinto_port: int
    http: urllib3.PoolManager

    @contextmanager
    def process(self, *names: str) -> Iterator[None]:
        """Programs that run until the block ends."""
        commands = {"worker": ("gateway", "worker"), "indexer": ("inventory_index",)}
        environment = clean_environment(self.services.environment())
        with ExitStack() as ends:
            for name in names:
                log = self.services.home / f"{name}.log"
                ends.enter_context(running(*python(*commands[name]), environment=environment, log=log))
            yield

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """Ask the gateway as an administrator."""
        sent = {"Authorization": authorization(OPERATOR), "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        return self.http.request(method, f"{self.services.gateway_url}{path}", body=data, headers=sent)

    def one(self, statement: str) -> Any:
        """The single value of a query."""
        row = self.database.execute(statement).fetchone()
        return None if row is None else row[0]

    def import_documents(self, count: int) -> tuple[list[dict[str, Any]], float]:
        """Import new documents; gives them, and how many a second."""
        run = uuid.uuid4().hex
        documents = [
            {"sku": f"{run}-{number}", "name": f"Saw of {number}", "price": number, "brand": f"brand {number % 50}"}
            for number in range(count)
        ]
        body = b"\n".join(map(orjson.dumps, documents))
        begun = time.perf_counter()
        answer = self.ask("POST", f"/inventory/{_TYPE}/import", body, Content_Type=_NDJSON)
        seconds = time.perf_counter() - begun
        assert answer.status == 200, answer.data
        summary = orjson.loads(answer.data.rstrip().rpartition(b"\n")[2])["summary"]
        assert summary["created"] == count, summary
        return documents, count / seconds

    def relay(self) -> float:
        """Let the worker publish everything; gives the changes a second, from the first that is published."""
        total = self.one("SELECT count(*) FROM inventory_change")
        with self.process("worker"):
            return self._rate(lambda: self.one("SELECT last_feed FROM inventory_relay_state") or 0, total)

    def index(self) -> float:
        """Let the indexer index everything; gives the documents a second, from the first that is indexed."""
        total = self.one(f"SELECT count(*) FROM inventory_document WHERE type = '{_TYPE}'")
        with self.process("indexer"):
            return self._rate(lambda: self._indexed(self._physical()), total)

    def ceiling(self, documents: Sequence[dict[str, Any]]) -> float:
        """Send the documents as ready-made bodies, over two connections; gives the documents a second."""
        index = f"ceiling-{uuid.uuid4().hex}"
        mappings = self.client.indices.get_mapping(index=_ALIAS)[self._physical()]["mappings"]
        self.client.indices.create(index=index, mappings=mappings, settings={"number_of_replicas": 0})
        bodies = self.services.home / "bodies"
        with bodies.open("wb") as stored:
            for start in range(0, len(documents), _PER_BODY):
                body = b"".join(_lines(each) for each in documents[start : start + _PER_BODY])
                stored.write(b"%d\n%b" % (len(body), body))
        arguments = ["2", str(self.services.servers.elasticsearch.port), index, str(bodies)]
        command = [sys.executable, "-m", "tests.benchmarks.sink_ceiling", *arguments]
        with subprocess.Popen(command) as sending:
            rate = self._rate(lambda: self._indexed(index), len(documents))
        assert sending.returncode == 0
        self.client.indices.delete(index=index)
        return rate

    def settle(self) -> None:
        """Wait until everything is published and indexed."""
        total = self.one("SELECT count(*) FROM inventory_change")
        self._rate(lambda: self.one("SELECT last_feed FROM inventory_relay_state"), total)
        live = self.one(f"SELECT count(*) FROM inventory_document WHERE type = '{_TYPE}' AND body IS NOT NULL")

        def found() -> int:
            self.client.indices.refresh(index=_ALIAS)
            return int(self.client.count(index=_ALIAS)["count"])

        self._rate(found, live)

    def put(self, side: str, seconds: float) -> http_writes.Result:
        """Run a pass of writes in a process of its own."""
        ids = uuid.uuid4().hex
        asked = {
            "sluice": http_writes.Pass(
                self.services.gateway_port,
                f"/inventory/{_TYPE}/",
                authorization(OPERATOR),
                None,
                ids,
                _CONNECTIONS,
                seconds,
            ),
            "kinto": http_writes.Pass(
                self.kinto_port,
                f"{inventory_peer.COLLECTION}/records/",
                inventory_peer.AUTHORIZATION,
                "data",
                ids,
                _CONNECTIONS,
                seconds,
            ),
        }[side]
        command = [sys.executable, "-m", "tests.benchmarks.http_writes"]
        done = subprocess.run(command, input=msgspec.json.encode(asked), stdout=subprocess.PIPE, check=True)
        return http_writes.Result(**orjson.loads(done.stdout))

    def visible(self, samples: int, *, with_token: bool) -> Delay:
        """Change a document again and again, and search for it each time until it is found."""
        path = f"/inventory/{_TYPE}/visible"
        etag = self.ask("GET", path).headers.get("ETag")
        delays: list[float] = []
        stale = 0
        for number in range(samples):
            price = time.time_ns() // 1_000_000 + number
            precondition = {"If_None_Match": "*"} if etag is None else {"If_Match": etag}
            begun = time.perf_counter()
            written = self.ask("PUT", path, {"sku": "visible", "name": "Saw", "price": price}, **precondition)
            assert written.status in (200, 201), written.data
            etag = written.headers["ETag"]
            token = {"X_Consistency_Token": written.headers["X-Consistency-Token"], "Prefer": "wait=10"}
            while not self._found(f"price = {price}", **token if with_token else {}):
                stale += with_token
                assert time.perf_counter() - begun < _WITHIN_SECONDS
            delays.append((time.perf_counter() - begun) * 1000)
        delays.sort()
        return Delay(statistics.median(delays), percentile([each / 1000 for each in delays], 0.99), stale)

    def rebuild(self) -> Rebuilt:
        """Make the index again, while documents are written and one is searched for that is there all the time."""
        ends = threading.Event()
        failed = 0

        def search() -> None:
            nonlocal failed
            while not ends.is_set():
                failed += not self._found("sku = visible")

        def write() -> None:
            while not ends.wait(_POLL_SECONDS):
                answer = self.ask("POST", f"/inventory/{_TYPE}", {"sku": uuid.uuid4().hex, "name": "Saw"})
                assert answer.status == 201, answer.data

        threads = [threading.Thread(target=search), threading.Thread(target=write)]
        for thread in threads:
            thread.start()
        begun = time.perf_counter()
        try:
            command = [sys.executable, "-m", "gateway", "rebuild", _TYPE]
            environment = clean_environment(self.services.environment())
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seconds = time.perf_counter() - begun
        finally:
            ends.set()
            for thread in threads:
                thread.join()
        return Rebuilt(int(self.client.count(index=_ALIAS)["count"]), seconds, failed)

    def _found(self, query: str, **headers: str) -> bool:
        answer = self.http.request(
            "GET",
            f"{self.services.gateway_url}/inventory/{_TYPE}",
            fields={"q": query, "size": "1"},
            headers={"Authorization": authorization(OPERATOR)}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        return answer.status == 200 and answer.json()["count"] == 1

    def _physical(self) -> str:
        return str(self.one(f"SELECT physical_index FROM inventory_type WHERE name = '{_TYPE}'"))

    def _indexed(self, index: str) -> int:
        stats = self.client.indices.stats(index=index, metric="indexing", filter_path="_all.total.indexing.index_total")
        return int(stats["_all"]["total"]["indexing"]["index_total"])

    def _rate(self, done: Callable[[], int], total: int) -> float:
        """How many a second, from the first that is seen to be done until all are."""
        before = first = done()
        begun = now = time.perf_counter()
        deadline = begun + _WITHIN_SECONDS
        while (count := done()) < total:
            assert time.perf_counter() < deadline, f"{count:,} of {total:,} after {_WITHIN_SECONDS} s"
            if first == before:
                first, begun = count, time.perf_counter()
            time.sleep(_POLL_SECONDS)
        now = time.perf_counter()
        return (total - first) / (now - begun)


def _lines(document: dict[str, Any]) -> bytes:
    target = {"index": {"_id": document["sku"], "version": 1, "version_type": "external"}}
    return orjson.dumps(target) + b"\n" + orjson.dumps(document) + b"\n"


def _fdatasync_ms(folder: Path) -> float:
    """Median time that the disk takes to keep a page."""
    times = []
    with (folder / "fdatasync").open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(os.urandom(_SYNC_BYTES))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


@contextmanager
def _bench(peers: str) -> Iterator[Bench]:  # pylint: disable=too-many-locals  # its parts
    *free, kinto = ports.free(4 + SERVICE_PORTS + 1)
    with TemporaryDirectory(prefix="sluice-bench-") as folder, postgresql(is_durable=True) as server:
        home = Path(folder)
        base = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
        own = {"GATEWAY_DATABASE_URL": server.url}
        services = services_on(_OnPostgreSQL, home, base, free[4:], own, devices=0)
        programs = {program.name: program for program in services.programs()}
        started = [programs["translator"], programs["gateway"], _kinto(peers, kinto)]
        with psycopg.connect(make_conninfo(server.url), autocommit=True) as database:
            database.execute("CREATE DATABASE kinto")
            sqlalchemy = server.url.replace("postgres://", "postgresql://").replace("/postgres?", "/kinto?")
            environment = services.environment() | {"KINTO_DATABASE_URL": sqlalchemy}
            with (
                supervisor(home, [*base.programs(), *started], environment) as running_,
                connect(ElasticsearchSettings(url=base.elasticsearch.url), request_timeout=60.0) as client,
                urllib3.PoolManager(retries=False, timeout=float(_WITHIN_SECONDS)) as http,
            ):
                running_.start(*base.programs())
                services.prepare()
                tables = [peers, "-m", "tests.benchmarks.inventory_peer"]
                subprocess.run(tables, env=clean_environment(environment), check=True, capture_output=True)
                running_.start(*started)
                _make_collection(http, kinto)
                yield Bench(services, client, database, server, kinto, http)


def _kinto(peers: str, port: int) -> Program:
    command = [peers, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "2", "--blocking-threads", "8", "--log-level", "warning"]
    return Program("kinto", [*command, "tests.benchmarks.inventory_peer:application"], lambda: ports.answers(port))


def _make_collection(http: urllib3.PoolManager, port: int) -> None:
    bucket = inventory_peer.COLLECTION.rpartition("/collections/")[0]
    for path in (bucket, inventory_peer.COLLECTION):
        headers = {"Authorization": inventory_peer.AUTHORIZATION}
        made = http.request("PUT", f"http://127.0.0.1:{port}{path}", json={"data": {}}, headers=headers)
        assert made.status == 201, made.data


def _stages(bench: Bench, documents: int, rounds: int) -> dict[str, Any]:
    """Each stage alone, and the ceiling of the last."""
    found: dict[str, list[float]] = {"import": [], "relay": [], "indexer": [], "ceiling": []}
    # Elasticsearch's code is compiled as it is used: the first round only warms it.
    for number in range(rounds + 1):
        imported, rate = bench.import_documents(documents)
        rates = {"import": rate, "relay": bench.relay(), "indexer": bench.index(), "ceiling": bench.ceiling(imported)}
        print("warming" if number == 0 else number, rates, file=sys.stderr, flush=True)
        for name, each in rates.items():
            found[name] += [each] if number else []
    middle = {name: statistics.median(each) for name, each in found.items()}
    return {
        "import_per_s": middle["import"],
        "relay_per_s": middle["relay"],
        "indexer": {"docs_per_s": middle["indexer"], "ceiling_docs_per_s": middle["ceiling"]},
    }


def _puts(bench: Bench, rounds: int, seconds: float) -> dict[str, Any]:
    """Passes of writes of both sides in turn; before each, what the one before has left to do is done."""
    found: dict[str, list[http_writes.Result]] = {"sluice": [], "kinto": []}
    for _ in range(rounds):
        for side, passes in found.items():
            bench.settle()
            passes.append(bench.put(side, seconds))
            print(side, passes[-1], file=sys.stderr, flush=True)
    return {
        side: {
            "rps": statistics.median(each.rps for each in passes),
            "p99_ms": statistics.median(each.p99_ms for each in passes),
            "conflicts": sum(each.conflicts for each in passes),
            "errors": sum(each.errors for each in passes),
        }
        for side, passes in found.items()
    }


def _print(results: dict[str, Any]) -> None:
    for side, each in results["put"].items():
        print(
            f"PUT, 8 clients, {side:8}{each['rps']:10,.0f}/s   p99 {each['p99_ms']:.1f} ms   {each['conflicts']:,} "
            f"spurious conflicts, {each['errors']:,} errors"
        )
    indexer = results["indexer"]
    ratio = indexer["docs_per_s"] / indexer["ceiling_docs_per_s"]
    print(f"import{results['import_per_s']:27,.0f} documents/s")
    print(f"relay{results['relay_per_s']:28,.0f} changes/s")
    print(f"indexer{indexer['docs_per_s']:26,.0f} documents/s   {ratio:.2f} of {indexer['ceiling_docs_per_s']:,.0f}")
    for name in ("visible_ms", "visible_with_token_ms"):
        each = results[name]
        print(f"{name:24} p50 {each['p50']:.0f} ms   p99 {each['p99']:.0f} ms   {each['stale']:,} stale")
    rebuilt = results["rebuild"]
    print(
        f"rebuild of {rebuilt['documents']:,} documents: {rebuilt['seconds']:.1f} s, "
        f"{rebuilt['failed_searches']:,} searches failed"
    )
    print(f"fdatasync: {results['fdatasync_ms']:.3f} ms")


def main() -> int:
    """Measure, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peers", required=True, help="the Python that has Kinto")
    parser.add_argument("--documents", type=int, default=50_000, help="of a round (50,000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each thing is done (3)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each pass of writes takes (10)")
    parser.add_argument("--samples", type=int, default=200, help="changes that are searched for (200)")
    parser.add_argument("--token-samples", type=int, default=1_000, help="the same with their token (1,000)")
    parser.add_argument("--rebuild", type=int, default=200_000, help="documents of the rebuild, at least (200,000)")
    options = parser.parse_args()
    with _bench(options.peers) as bench:
        results: dict[str, Any] = {"fdatasync_ms": _fdatasync_ms(bench.server.home)}
        results |= _stages(bench, options.documents, options.rounds)
        with bench.process("worker", "indexer"):
            results["put"] = _puts(bench, options.rounds, options.seconds)
            bench.settle()
            results["visible_ms"] = asdict(bench.visible(options.samples, with_token=False))
            results["visible_with_token_ms"] = asdict(bench.visible(options.token_samples, with_token=True))
            bench.import_documents(max(1, options.rebuild - (options.rounds + 1) * options.documents))
            bench.settle()
            results["rebuild"] = asdict(bench.rebuild())
    _print(results)
    output.write(_OUTPUT, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
