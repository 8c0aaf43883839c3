"""Asks a real Elasticsearch as many generated queries as one likes."""

import tempfile
from pathlib import Path

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from local import ports, servers
from local.supervisor import supervisor
from tests.support.oracle import INDICES, QUESTIONS, compare

_EXAMPLES = INDICES * QUESTIONS
_REPORT_EVERY = 10


def fuzz(examples: int, first: int) -> None:
    """Ask until something disagrees.

    Args:
        examples: queries to ask; rounded up to whole batches.
        first: the number of the first batch; the same numbers ask the same.

    Raises:
        AssertionError: Elasticsearch and the reference evaluator disagree; it shows the smallest case found.
        QueryError: the translator refuses a query that it should take.
    """
    batches = -(-examples // _EXAMPLES)
    # Kafka is set up as well, but not started.
    free = ports.free(4)
    with tempfile.TemporaryDirectory(prefix="sluice-fuzz-") as folder:
        prepared = servers.prepare(Path(folder), (free[0], free[1]), (free[2], free[3]))
        programs = [program for program in prepared.programs() if program.name == "elasticsearch"]
        with (
            supervisor(Path(folder), programs, {}) as running,
            connect(ElasticsearchSettings(url=prepared.elasticsearch.url)) as client,
        ):
            running.start(*programs)
            for done in range(batches):
                compare(client, first + done)
                if (done + 1) % _REPORT_EVERY == 0 or done + 1 == batches:
                    print(f"{(done + 1) * _EXAMPLES} examples agree, up to batch {first + done}", flush=True)
