"""Compaction: a closed hour becomes one sorted file with one row an event, a closed day of rejected records one file.

An hour is closed some time after its end, as events come late. What comes later still opens it again: it has two files
then, and is compacted by the next run. The first of an event's records, in Kafka's order, is kept; the places of the
others go into its ``copies``, so that the account of offsets closes as before. Copies in different hours, which there
are only where a client's clock is so wrong that Kafka's time counts, stay.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lake.errors import LakeError
from lake.rewriting import DataFile, Partition, Rewriting
from lake.tables import EVENTS, REJECTED, Lake, TableSpec

logger = logging.getLogger(__name__)

ORDER = "user_key, query, time"
"""The order of a file's rows: the one, of those that were measured, with the fewest bytes."""

_PLACE = 'struct_pack(topic_id := topic_id, "partition" := "partition", "offset" := "offset")'
_MERGED = f"""
WITH doubled AS (SELECT event_id FROM rows GROUP BY event_id HAVING count(*) > 1),
ranked AS (
    SELECT rows.*, row_number() OVER (
        PARTITION BY event_id ORDER BY kafka_time, "partition", "offset", topic_id
    ) AS rank
    FROM rows SEMI JOIN doubled USING (event_id)
),
merged AS (
    SELECT event_id, list_concat(
        coalesce(list({_PLACE}) FILTER (rank > 1), []), flatten(list(coalesce(copies, [])))
    ) AS all_copies
    FROM ranked GROUP BY event_id
)
SELECT * FROM rows ANTI JOIN doubled USING (event_id)
UNION ALL BY NAME
SELECT ranked.* EXCLUDE (rank) REPLACE (all_copies AS copies) FROM ranked JOIN merged USING (event_id) WHERE rank = 1
"""
COUNT = "SELECT count(*), count(*) + coalesce(sum(len(copies)), 0) FROM rows"
"""Rows of events, and the offsets that they are for."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a table's files of a time become one: by which query, and the counts that its file must have."""

    query: str
    expected: str
    written: str


_PLANS = {
    EVENTS: _Plan(
        f"{_MERGED} ORDER BY {ORDER}",
        "SELECT count(DISTINCT event_id), count(*) + coalesce(sum(len(copies)), 0) FROM rows",
        COUNT,
    ),
    REJECTED: _Plan(
        'SELECT * FROM rows ORDER BY "partition", "offset"',
        'SELECT count(DISTINCT (topic_id, "partition", "offset")) FROM rows',
        "SELECT count(*) FROM rows",
    ),
}


@dataclass(frozen=True, slots=True)
class Compacted:
    """An hour of events, or a day of rejected records, that was compacted: rows and bytes, before and after."""

    table: str
    name: str
    rows_before: int
    rows: int
    bytes_before: int
    bytes: int


def compact(lake: Lake, close_after: timedelta, now: datetime | None = None) -> Iterator[Compacted]:
    """Compact every closed hour and day that needs it, each by a commit of its own.

    Args:
        lake: the tables.
        close_after: how long after its end an hour or a day is closed.
        now: the time, if it is not now.

    Yields:
        Each once it is compacted.

    Raises:
        LakeError: the new file does not have what it must have, or another command has rewritten files meanwhile; that
            one stays as it is.
        deltalake.exceptions.DeltaError: the table cannot be read or written.
        OSError: likewise.
    """
    closed_before = (now or datetime.now(UTC)) - close_after
    for spec in _PLANS:
        for partition, files in sorted(Rewriting(lake, spec).files.items()):
            if _end(partition) <= closed_before and not (len(files) == 1 and files[0].is_compacted):
                compacted = _compact(lake, spec, partition)
                if compacted is not None:
                    yield compacted


def _compact(lake: Lake, spec: TableSpec, partition: Partition) -> Compacted | None:
    plan = _PLANS[spec]
    with Rewriting(lake, spec) as rewriting:
        files = rewriting.files.get(partition)
        if files is None:
            return None
        with rewriting.rows(files) as rows:
            [before] = rows.one("SELECT count(*) FROM rows")
            expected = rows.one(plan.expected)
            new = rewriting.replace(partition, files, rows, plan.query, compacts=True)
        check(rewriting, new, expected, plan.written, partition)
        rewriting.commit()
    assert new is not None
    size = sum(file.size for file in files)
    return Compacted(spec.name, time_name(partition), before, expected[0], size, new.size)


def check(
    rewriting: Rewriting, new: DataFile | None, expected: tuple[int, ...], count: str, partition: Partition
) -> None:
    """Read a new file, and hold it to its counts.

    Args:
        rewriting: that wrote it.
        new: the file; None where there is none, as it would have no row.
        expected: the counts, rows first.
        count: the query that counts.
        partition: the file's, for the message.

    Raises:
        LakeError: it has others.
    """
    written: tuple[int, ...] = (0,) * len(expected)
    if new is not None:
        with rewriting.rows([new]) as rows:
            written = rows.one(count)
    if written != expected:
        raise LakeError(
            f"{time_name(partition)}: its new file would have {written[0]} rows for {written[-1]} offsets, and must "
            f"have {expected[0]} for {expected[-1]}; nothing was changed: keep the folder, and report this"
        )


def _end(partition: Partition) -> datetime:
    start = datetime.fromisoformat(dict(partition)["day"]).replace(tzinfo=UTC)
    hour = dict(partition).get("hour")
    return start + (timedelta(days=1) if hour is None else timedelta(hours=int(hour) + 1))


def time_name(partition: Partition) -> str:
    """The hour, such as 2026-11-28T16, or the day of a partition."""
    values = dict(partition)
    return f"{values['day']}T{int(values['hour']):02}" if "hour" in values else values["day"]
