"""Deletion of one person's rows, and of the name in the rows of others.

- Rows of ``events`` go by the keyed hash of the person's name. Files are written again, so that the log has no
  predicate, and no name.
- Rows of others that name the person in a text stay, since they are somebody else's trail; ``[erased]`` stands for the
  name. In Elasticsearch a person decides what goes; here nobody has to look, and the proof can be brought.
- Rows of ``rejected`` whose bytes have the name go: nobody can say what else they mean.
- Marts are made again from the events that are left, by whoever calls this.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from lake.compaction import COUNT, ORDER, check
from lake.erasure.account import Erasure, erasures, unfinished
from lake.erasure.person import Person
from lake.registry import BY_USER
from lake.rewriting import Rewriting, Rows
from lake.tables import EVENTS, REJECTED, Lake, TableSpec

_REJECTED_BATCH = 1_024
_PLACE = pa.schema([REJECTED.schema.field(name) for name in ("topic_id", "partition", "offset")])


@dataclass(slots=True)
class Found:
    """Records that an erasure takes, and rows of others that name the person.

    Attributes:
        taken: records by table and day.
        mentions: rows by day.
    """

    taken: Counter[tuple[str, date]] = field(default_factory=Counter)
    mentions: Counter[date] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.taken or self.mentions)


def find(lake: Lake, person: Person) -> Found:
    """Count what an erasure would take and change now.

    Raises:
        deltalake.exceptions.DeltaError: a table cannot be read.
        OSError: likewise.
    """
    found = Found()
    for prepare, spec in _TABLES:
        with Rewriting(lake, spec) as rewriting:
            prepare(rewriting, person, Erasure.begin(person.key, "", ""), found, only_counts=True)
    return found


def erase(lake: Lake, person: Person, reason: str, erased_by: str, record: Callable[[str], None]) -> Found:
    """Erase a person: the account first, then each table by one commit; repeatable, and goes on after a kill.

    Args:
        lake: the tables.
        person: whose rows.
        reason: why; it is kept, so it must not name the person.
        erased_by: who does it.
        record: called with the change in words before the account is written; nothing is changed if it raises.

    Returns:
        What was erased now.

    Raises:
        LakeError: another command has rewritten files meanwhile, or a new file is not what it must be; to run it again
            goes on.
        deltalake.exceptions.DeltaError: a table cannot be read or written; likewise.
        OSError: likewise.
    """
    found = Found()
    for erasure in unfinished(lake, erasures(lake, person.key)):
        _carry_out(lake, person, erasure, found, record)
    # What has come since an unfinished one began is another's.
    _carry_out(lake, person, Erasure.begin(person.key, reason, erased_by), found, record)
    for spec in BY_USER:
        _take_rows(lake, spec, person)
    return found


def _carry_out(lake: Lake, person: Person, erasure: Erasure, found: Found, record: Callable[[str], None]) -> None:
    now, pending = Found(), []
    with ExitStack() as stack:
        for prepare, spec in _TABLES:
            rewriting = stack.enter_context(Rewriting(lake, spec))
            if not erasure.is_done(rewriting.table):
                prepare(rewriting, person, erasure, now)
                # Without the name, what is rejected cannot be found, and stays to be done.
                if spec is EVENTS or person.name is not None:
                    pending.append(rewriting)
        if not now and not erasure.is_saved:
            return
        record(
            f"erase {now.taken.total()} records of the lake by user_key, and the name in {now.mentions.total()} of "
            f"others: {erasure.reason} (account {erasure.erasure_id})"
        )
        erasure.save(lake)
        for rewriting in pending:
            rewriting.commit(erasure.transaction)
    found.taken += now.taken
    found.mentions += now.mentions


def _events(rewriting: Rewriting, person: Person, erasure: Erasure, found: Found, *, only_counts: bool = False) -> None:
    erasure.events.clear()
    erasure.copies.clear()
    for partition, files in rewriting.files.items():
        day = date.fromisoformat(dict(partition)["day"])
        with rewriting.rows(files) as rows:
            taken, copies, mentions = _count_events(rows, person)
            if not taken and not mentions:
                continue
            erasure.events += taken
            erasure.copies += copies
            erasure.days.add(day)
            found.taken += Counter({(EVENTS.name, day): taken.total() + copies.total()})
            found.mentions += Counter({day: mentions})
            if only_counts:
                continue
            kept = rows.one(f"{COUNT} WHERE NOT {person.sql_of_event}")
            new = rewriting.replace(partition, files, rows, f"{person.sql_rows_of_others} ORDER BY {ORDER}")
        check(rewriting, new, kept, COUNT, partition)


def _count_events(rows: Rows, person: Person) -> tuple[Counter[tuple[str, int]], Counter[tuple[str, int]], int]:
    """Count a person's events and their copies, by topic and partition; and the rows of others that have the name."""
    own = person.sql_of_event
    events: Counter[tuple[str, int]] = Counter()
    copies: Counter[tuple[str, int]] = Counter()
    for counter, places in (
        (events, f"SELECT * FROM rows WHERE {own}"),
        (copies, f"SELECT unnest(copies, recursive := true) FROM rows WHERE {own}"),
    ):
        for topic_id, number, count in rows.all(f'SELECT topic_id, "partition", count(*) FROM ({places}) GROUP BY ALL'):
            counter[topic_id, number] += count
    [mentions] = rows.one(f"SELECT count(*) FROM rows WHERE NOT {own} AND ({person.sql_mentioned})")
    return events, copies, mentions


def _rejected(
    rewriting: Rewriting, person: Person, erasure: Erasure, found: Found, *, only_counts: bool = False
) -> None:
    erasure.rejected.clear()
    if person.name is None:
        return
    for partition, files in rewriting.files.items():
        with rewriting.rows(files) as rows:
            taken = [
                {name: row[name] for name in _PLACE.names}
                for row in _rejected_rows(rows)
                if any(map(person.name.is_in, _leaves(row)))
            ]
            if not taken:
                continue
            for row in taken:
                erasure.rejected[row["topic_id"], row["partition"]] += 1
            found.taken[REJECTED.name, date.fromisoformat(dict(partition)["day"])] += len(taken)
            if only_counts:
                continue
            rows.connection.register("taken", pa.Table.from_pylist(taken, _PLACE))
            kept = 'SELECT * FROM rows ANTI JOIN taken USING (topic_id, "partition", "offset")'
            rewriting.replace(partition, files, rows, kept)


_TABLES = ((_events, EVENTS), (_rejected, REJECTED))


def _rejected_rows(rows: Rows) -> Iterator[dict[str, Any]]:
    for batch in rows.connection.sql("SELECT * FROM rows").to_arrow_reader(_REJECTED_BATCH):
        yield from batch.to_pylist()


def _leaves(value: Any) -> Iterator[bytes]:
    """The texts and bytes in a value."""
    match value:
        case bytes():
            yield value
        case str():
            yield value.encode()
        case dict():
            yield from _leaves(list(value.values()))
        case list():
            for each in value:
                yield from _leaves(each)


def _take_rows(lake: Lake, spec: TableSpec, person: Person) -> None:
    if not lake.exists(spec):
        return
    with Rewriting(lake, spec) as rewriting:
        for partition, files in rewriting.files.items():
            with rewriting.rows(files) as rows:
                [taken] = rows.one(f"SELECT count(*) FROM rows WHERE {person.sql}")
                if taken:
                    rewriting.replace(partition, files, rows, f"SELECT * FROM rows WHERE NOT {person.sql}")
        rewriting.commit()
