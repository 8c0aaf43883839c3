"""The lake's promise under kills: ``python -m tests.benchmarks.lake_kills --events 1000000 --kills 200``.

A writer moves a topic into a lake and is killed (SIGKILL) at random moments, started again each time, and at last left
alone. Among the events are copies (the same event, produced again) and garbage. Then every offset of the topic must be
in the lake in exactly one place, and every event that was produced must be there. Prints the figures, and exits with 1
where something is lost or doubled.
"""

import argparse
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import orjson
from confluent_kafka import Producer
from elasticsearch import Elasticsearch

from contracts.query_event.event import encode
from lake.tables import EVENTS, REJECTED
from local import ports, servers
from local.supervisor import supervisor
from tests.support.lake import rows
from tests.support.lake_trail import LakeProcess, LakeTrail
from tests.support.query_event import event
from tests.support.waiting import eventually

_LONGEST_LIFE_SECONDS = 1.5
_READY_SECONDS = 120.0
_END_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is produced, of what, and how often the writer is killed."""

    events: int
    kills: int
    duplicates: float = 0.01
    garbage: float = 0.001
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Figures:  # pylint: disable=too-many-instance-attributes  # it is data
    """Account of a run: records produced, and what of them is in the lake.

    Attributes:
        records: produced.
        events: different events among them.
        rows: of ``events``.
        rejected: rows of ``rejected``.
        lost: events that are in no row.
        kills: times that the writer was killed.
        lives_with_a_commit: lives in which the lake grew.
        seconds: that all of it took.
    """

    records: int
    events: int
    rows: int
    rejected: int
    lost: int
    kills: int
    lives_with_a_commit: int
    seconds: float


def run(  # pylint: disable=too-many-locals  # what was produced, and what is found of it
    trail: LakeTrail, folder: Path, plan: Plan
) -> Figures:
    """Produce, kill, and take stock.

    Args:
        trail: an empty topic, and a lake.
        folder: for the logs.
        plan: how much of each.

    Raises:
        AssertionError: an offset is in no place of the lake, or in two.
    """
    random, began = Random(plan.seed), time.monotonic()
    writer = LakeProcess(trail, folder / "writer.log", LAKE_COMMIT_SECONDS="0.05", LAKE_COMMIT_BYTES="1048576")
    records = garbage = grown = 0
    version = trail.lake.open(EVENTS).version()
    try:
        for life in range(plan.kills + 1):
            share = plan.events // (plan.kills + 1) + (plan.events % (plan.kills + 1) if life == 0 else 0)
            made, bad = _produce(trail, share, plan, random)
            records, garbage = records + made, garbage + bad
            if life == plan.kills:
                break
            eventually(lambda: writer.metric("lake_records_read_total") > 0, "the first records", _READY_SECONDS)
            time.sleep(random.uniform(0, _LONGEST_LIFE_SECONDS))
            writer.kill()
            newest = trail.lake.open(EVENTS).version()
            grown, version = grown + (newest > version), newest
            writer.start()
        eventually(lambda: trail.written_offsets() == records, "every offset is in the lake", _END_SECONDS)
    finally:
        writer.kill()
    trail.assert_offsets_are_dense()
    found = trail.event_ids()
    rejected = rows(trail.lake, REJECTED).num_rows
    lost = len(trail.ids - set(found)) + (garbage - rejected)
    seconds = round(time.monotonic() - began, 1)
    return Figures(records, len(trail.ids), len(found), rejected, lost, plan.kills, grown, seconds)


def _produce(trail: LakeTrail, events: int, plan: Plan, random: Random) -> tuple[int, int]:
    """Produce a share of the events, with copies and garbage; how many records, and how many are garbage."""
    copies = garbage = 0
    for number in range(events):
        each = event(number)
        value = encode(each)
        trail.ids.add(each.event_id)
        trail.producer.produce(trail.topic, value, partition=random.randrange(6))
        if random.random() < plan.duplicates:
            copies += 1
            trail.producer.produce(trail.topic, value, partition=random.randrange(6))
        if random.random() < plan.garbage:
            garbage += 1
            trail.producer.produce(trail.topic, value[: random.randrange(len(value))], partition=random.randrange(6))
        if number % 10_000 == 0:
            trail.producer.flush()
    trail.producer.flush()
    return events + copies + garbage, garbage


def main() -> None:
    """Run on servers of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.lake_kills", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="events to produce")
    parser.add_argument("--kills", type=int, default=200, help="times that the writer is killed")
    parser.add_argument("--duplicates", type=float, default=0.01, help="the part of the events that is produced twice")
    parser.add_argument("--garbage", type=float, default=0.001, help="records that are no events, for each event")
    parser.add_argument("--seed", type=int, default=0, help="of what is random")
    plan = Plan(**vars(parser.parse_args()))
    with TemporaryDirectory(prefix="lake-kills-") as temporary:
        home = Path(temporary)
        free = ports.free(4)
        prepared = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
        kafka = [program for program in prepared.programs() if program.name == "kafka"]
        with supervisor(home, kafka, {}) as running:
            running.start(*kafka)
            bootstrap = prepared.kafka.bootstrap_servers
            trail = LakeTrail(
                bootstrap,
                prepared.elasticsearch.url,
                uuid.uuid4().hex[:12],
                Elasticsearch(prepared.elasticsearch.url),
                Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20}),
                folder=home,
            )
            trail.create_topics()
            figures = run(trail, home, plan)
    print(orjson.dumps(asdict(figures), option=orjson.OPT_INDENT_2).decode())
    sys.exit(1 if figures.lost else 0)


if __name__ == "__main__":
    main()
