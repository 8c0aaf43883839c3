"""Size of an event in a closed hour of the lake: ``python -m tests.benchmarks.lake_bytes --events 200000``.

Events of one hour, of a few hundred users with typical queries, go through the writer's own rows into a lake, in one
commit a minute, and the hour is compacted. Then the bytes are counted as they were written and as they are kept, with
those of each column.
"""

import argparse
import random
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from pyarrow import parquet

from contracts.query_event.event import (
    SCHEMA_VERSION,
    AuditEvent,
    EventData,
    EventMetadata,
    EventType,
    rfc3339,
    write_dsl,
)
from lake.compaction import compact
from lake.tables import EVENTS
from tests.benchmarks.typical import AGENTS, QUERIES, written_query
from tests.support.lake import lake_in, write_events
from translator.dsl import translate
from translator.json_lines import read_mapping

_HOUR = datetime(2026, 11, 27, 9, tzinfo=UTC)
_COMMITS = 60
_PARTITIONS = 3
_USERS = [f"{first}.user{number:02}" for first in ("ada", "bo", "chen", "dilek", "eva", "finn") for number in range(50)]


@dataclass(frozen=True, slots=True)
class Weight:
    """Mean bytes of an event: as written, minute by minute, and in the closed hour; there by column."""

    events: int
    traced: bool
    written: float
    closed: float
    by_column: dict[str, float]


def events(count: int, traced: bool, hour: datetime = _HOUR) -> Iterator[AuditEvent]:
    """Make searches of one hour, of a few hundred users with typical queries."""
    dice = random.Random(1)
    mappings = orjson.loads(Path("elastic/templates/devices.json").read_bytes())["template"]["mappings"]
    catalogue = read_mapping(mappings)
    homes = {
        user: (f"10.{dice.randrange(4)}.{dice.randrange(256)}.{dice.randrange(1, 255)}", dice.choice(AGENTS))
        for user in _USERS
    }
    for number in range(count):
        time = hour + timedelta(hours=number / count)
        user = _USERS[int(len(_USERS) * dice.random() ** 2)]
        address, agent = homes[user]
        # Not the form that is rejected.
        query = written_query(dice, QUERIES[:-1])
        data = EventData(
            query,
            "devices",
            write_dsl(translate(query, catalogue).query),
            int(dice.paretovariate(0.5)) % 10_000,
            int(dice.lognormvariate(3, 0.8)),
            200,
            None,
        )
        metadata = EventMetadata(
            str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            f"{dice.getrandbits(128):032x}" if traced else None,
            address,
            agent,
            "octoxlabs",
            "gateway",
            "0.1.0",
        )
        yield AuditEvent(
            _event_id(dice, time), EventType.QUERY_EXECUTED, SCHEMA_VERSION, rfc3339(time), user, data, metadata
        )


def _event_id(dice: random.Random, time: datetime) -> str:
    """A UUID of version 7, as the producer makes them, of this time."""
    milliseconds = int(time.timestamp() * 1000)
    bits = milliseconds << 80 | 7 << 76 | dice.getrandbits(12) << 64 | 2 << 62 | dice.getrandbits(62)
    return str(uuid.UUID(int=bits))


def weigh(count: int, traced: bool) -> Weight:
    """Write events, compact their hour, and count the bytes."""
    with TemporaryDirectory() as folder:
        lake = lake_in(Path(folder))
        made = list(events(count, traced))
        size = -(-count // _COMMITS)
        for begin in range(0, count, size):
            part = made[begin : begin + size]
            for partition in range(_PARTITIONS):
                arrived = datetime.fromisoformat(part[-1].timestamp)
                write_events(lake, part[partition::_PARTITIONS], partition, kafka_time=arrived)
        [hour] = compact(lake, timedelta(), _HOUR + timedelta(hours=1))
        [file] = lake.open(EVENTS).file_uris()
        return Weight(
            count,
            traced,
            round(hour.bytes_before / count, 1),
            round(hour.bytes / count, 1),
            {name: round(size / count, 2) for name, size in _column_bytes(file).most_common()},
        )


def _column_bytes(file: str) -> Counter[str]:
    metadata = parquet.read_metadata(file)
    columns: Counter[str] = Counter()
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            columns[column.path_in_schema] += column.total_compressed_size
    return columns


def main() -> int:
    """Print the weights, without and with trace ids, as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.lake_bytes", description="Weigh the lake's events."
    )
    parser.add_argument("--events", type=int, default=200_000, metavar="N", help="default: %(default)s")
    count = parser.parse_args().events
    weights = [asdict(weigh(count, traced)) for traced in (False, True)]
    sys.stdout.buffer.write(orjson.dumps(weights, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
