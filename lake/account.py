"""Account of offsets: whether each that was read is in exactly one place of the lake (see ``lake.tables``)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from lake import engine
from lake.tables import ERASURES, EVENTS, GAPS, REJECTED, Lake, transaction_id

_WINDOW = 4_000_000
"""Offsets that are compared with each other at once, which bounds memory."""

_PLACES = """
CREATE VIEW places AS
    SELECT topic_id, partition, "offset", 'events' AS kind FROM events
    UNION ALL
    SELECT copy.topic_id, copy.partition, copy."offset", 'copies'
    FROM (SELECT unnest(copies) AS copy FROM events WHERE copies IS NOT NULL)
    UNION ALL
    SELECT topic_id, partition, "offset", 'rejected' FROM rejected
"""

_COUNTS = """
WITH counted AS (
    SELECT topic_id, partition,
        count(*) FILTER (kind = 'events') AS events,
        count(*) FILTER (kind = 'copies') AS copies,
        count(*) FILTER (kind = 'rejected') AS rejected
    FROM places JOIN positions USING (topic_id, partition) WHERE "offset" < "next" GROUP BY ALL
), missed AS (
    SELECT topic_id, partition, sum(least(gaps."next", positions."next") - "first")::BIGINT AS gaps
    FROM gaps JOIN positions USING (topic_id, partition) WHERE "first" < positions."next" GROUP BY ALL
), erased AS (
    SELECT record.topic_id, record.partition,
        sum(record.events + record.copies + record.rejected)::BIGINT AS erased
    FROM (SELECT unnest(records) AS record FROM erasures) GROUP BY ALL
)
SELECT topic_id, partition, "next", coalesce(events, 0), coalesce(copies, 0), coalesce(rejected, 0), coalesce(gaps, 0),
    coalesce(erased, 0)
FROM positions
LEFT JOIN counted USING (topic_id, partition)
LEFT JOIN missed USING (topic_id, partition)
LEFT JOIN erased USING (topic_id, partition)
ORDER BY topic_id, partition
"""

_DOUBLED = """
SELECT count(*) - count(DISTINCT "offset")
    + count(*) FILTER (EXISTS (
        FROM gaps WHERE gaps.topic_id = $topic AND gaps.partition = $partition
            AND places."offset" >= "first" AND places."offset" < "next"))
FROM places
WHERE topic_id = $topic AND partition = $partition AND "offset" >= $low AND "offset" < $high
"""


@dataclass(frozen=True, slots=True)
class PartitionAccount:  # pylint: disable=too-many-instance-attributes  # a count for each place
    """Where the offsets of one partition are, from 0 to ``position``, which is the next to read.

    Attributes:
        topic_id: the topic's.
        partition: of the topic.
        position: how many offsets there are to account for.
        events: rows of ``events``.
        copies: records that compaction removed, as the same event has a row.
        rejected: rows of ``rejected``.
        gaps: offsets that Kafka did not have when they were to be read.
        erased: records that erasures took.
        doubled: offsets in two places; 0 where that was not looked for.
    """

    topic_id: str
    partition: int
    position: int
    events: int
    copies: int
    rejected: int
    gaps: int
    erased: int
    doubled: int = 0

    @property
    def difference(self) -> int:
        """How many offsets more there are than places: lost if it is above 0, in two places if it is below."""
        return self.position - self.events - self.copies - self.rejected - self.gaps - self.erased

    @property
    def closes(self) -> bool:
        """Whether each offset is in exactly one place."""
        return self.difference == 0 and self.doubled == 0


def account(
    lake: Lake,
    topics: Iterable[tuple[str, int]] = (),
    *,
    is_thorough: bool,
    memory_limit: str = engine.MEMORY_LIMIT,
) -> list[PartitionAccount]:
    """Count where the offsets of every partition are.

    While an erasure is under way, it has counted what it has not taken yet, and the account does not close.

    Args:
        lake: the tables.
        topics: topic ids, each with its number of partitions, that are in the account even if the lake has nothing of
            them.
        is_thorough: whether to look for offsets in two places; otherwise a loss and a double that are as many hide
            each other.
        memory_limit: how much DuckDB may take.

    Raises:
        deltalake.exceptions.DeltaError: a table cannot be read.
        OSError: likewise.
    """
    # What is committed later lies beyond these positions.
    table = lake.open(EVENTS)
    with engine.connect(lake, (EVENTS, REJECTED, GAPS, ERASURES), memory_limit=memory_limit) as connection:
        connection.execute(_PLACES)
        found = set(connection.sql("SELECT DISTINCT topic_id, partition FROM places").fetchall())
        found |= set(connection.sql("SELECT DISTINCT topic_id, partition FROM gaps").fetchall())
        found |= {(topic_id, number) for topic_id, count in topics for number in range(count)}
        positions = [
            {"topic_id": topic_id, "partition": number, "next": table.transaction_version(name) or 0}
            for topic_id, number in sorted(found)
            for name in [transaction_id(topic_id, number)]
        ]
        schema = pa.schema([("topic_id", pa.string()), ("partition", pa.int32()), ("next", pa.int64())])
        connection.register("positions", pa.Table.from_pylist(positions, schema))
        counted = connection.sql(_COUNTS).fetchall()
        return [
            replace(PartitionAccount(*row), doubled=_doubled(connection, *row[:3]) if is_thorough else 0)
            for row in counted
        ]


def _doubled(connection: duckdb.DuckDBPyConnection, topic_id: str, partition: int, position: int) -> int:
    """Count the offsets of a partition that are in two places, a window after the other."""
    doubled = 0
    for low in range(0, position, _WINDOW):
        window = {"topic": topic_id, "partition": partition, "low": low, "high": min(low + _WINDOW, position)}
        [row] = connection.execute(_DOUBLED, window).fetchall()
        doubled += row[0]
    return doubled
