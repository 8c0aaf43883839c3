"""Compaction: an hour that is closed becomes one sorted file with one row an event.

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
from lake.tables import EVENTS, Lake

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
_COUNT = "SELECT count(DISTINCT event_id), count(*) + coalesce(sum(len(copies)), 0) FROM rows"
_COUNT_WRITTEN = "SELECT count(*), count(*) + coalesce(sum(len(copies)), 0) FROM rows"


@dataclass(frozen=True, slots=True)
class CompactedHour:
    """An hour that was compacted: rows and bytes, before and after."""

    name: str
    rows_before: int
    rows: int
    bytes_before: int
    bytes: int


def compact(lake: Lake, close_after: timedelta, now: datetime | None = None) -> Iterator[CompactedHour]:
    """Compact every closed hour that needs it, each by a commit of its own.

    Args:
        lake: the tables.
        close_after: how long after its end an hour is closed.
        now: the time, if it is not now.

    Yields:
        Each hour once it is compacted.

    Raises:
        LakeError: the new file does not have what it must have, or another command has rewritten files meanwhile; that
            hour stays as it is.
        deltalake.exceptions.DeltaError: the table cannot be read or written.
        OSError: likewise.
    """
    closed_before = (now or datetime.now(UTC)) - close_after
    for partition, files in sorted(Rewriting(lake, EVENTS).files.items()):
        if _end(partition) <= closed_before and not (len(files) == 1 and files[0].is_compacted):
            hour = _compact_hour(lake, partition)
            if hour is not None:
                yield hour


def _compact_hour(lake: Lake, partition: Partition) -> CompactedHour | None:
    with Rewriting(lake, EVENTS) as rewriting:
        files = rewriting.files.get(partition)
        if files is None:
            return None
        name = hour_name(partition)
        with rewriting.rows(files) as rows:
            [before] = rows.one("SELECT count(*) FROM rows")
            expected = rows.one(_COUNT)
            new = rewriting.replace(partition, files, rows, f"{_MERGED} ORDER BY {ORDER}", compacts=True)
        check(rewriting, new, expected, name)
        rewriting.commit()
    assert new is not None
    return CompactedHour(name, before, expected[0], sum(file.size for file in files), new.size)


def check(rewriting: Rewriting, new: DataFile | None, expected: tuple[int, ...], name: str) -> None:
    """Read a new file, and hold it to the number of its rows, and that of its offsets.

    Raises:
        LakeError: it has others.
    """
    written = (0, 0)
    if new is not None:
        with rewriting.rows([new]) as rows:
            written = rows.one(_COUNT_WRITTEN)
    if written != expected:
        raise LakeError(
            f"hour {name}: its new file would have {written[0]} rows for {written[1]} offsets, and must have "
            f"{expected[0]} for {expected[1]}; nothing was changed: keep the folder, and report this"
        )


def _end(partition: Partition) -> datetime:
    return datetime.fromisoformat(f"{hour_name(partition)}:00:00+00:00") + timedelta(hours=1)


def hour_name(partition: Partition) -> str:
    """The hour of a partition of ``events``, such as 2026-11-28T16."""
    values = dict(partition)
    return f"{values['day']}T{int(values['hour']):02}"
