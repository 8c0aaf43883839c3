"""Account of an erasure: a row of ``erasures``, without the name.

It is written before anything is deleted. The deletion's own commit in a table has a transaction named after the
erasure, so that after a kill in between it is known what is still to be done.
"""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Transaction, write_deltalake

from lake.tables import ERASURES, EVENTS, REJECTED, Lake

ACCOUNTED = (EVENTS, REJECTED)
"""The tables whose rows the account counts."""


@dataclass(slots=True)
class Erasure:  # pylint: disable=too-many-instance-attributes  # a row, and three counts
    """One erasure.

    Attributes:
        erasure_id: its own.
        time: when it began.
        user_key: whose.
        reason: why.
        erased_by: who did it.
        days: whose events changed.
        is_saved: whether its row has been written.
        events, copies, rejected: offsets that it took, by topic and partition.
    """

    erasure_id: str
    time: datetime
    user_key: str
    reason: str
    erased_by: str
    is_saved: bool = False
    days: set[date] = field(default_factory=set)
    events: Counter[tuple[str, int]] = field(default_factory=Counter)
    copies: Counter[tuple[str, int]] = field(default_factory=Counter)
    rejected: Counter[tuple[str, int]] = field(default_factory=Counter)

    @classmethod
    def begin(cls, user_key: str, reason: str, erased_by: str) -> "Erasure":
        """Begin a new one."""
        return cls(str(uuid.uuid4()), datetime.now(UTC), user_key, reason, erased_by)

    @property
    def transaction(self) -> Transaction:
        """That of its commits."""
        return Transaction(self.transaction_id, 1)

    @property
    def transaction_id(self) -> str:
        """Name of its transaction."""
        return f"erasure:{self.erasure_id}"

    def is_done(self, table: DeltaTable) -> bool:
        """Whether it is committed in a table."""
        return table.transaction_version(self.transaction_id) is not None

    def save(self, lake: Lake) -> None:
        """Write its row, in the place of an earlier one of the same erasure.

        Raises:
            deltalake.exceptions.DeltaError: the table cannot be written.
            OSError: likewise.
        """
        places = sorted({*self.events, *self.copies, *self.rejected})
        row = {
            "erasure_id": self.erasure_id,
            "time": self.time,
            "user_key": self.user_key,
            "reason": self.reason,
            "erased_by": self.erased_by,
            "days": sorted(self.days),
            "records": [
                {
                    "topic_id": topic_id,
                    "partition": partition,
                    "events": self.events[topic_id, partition],
                    "copies": self.copies[topic_id, partition],
                    "rejected": self.rejected[topic_id, partition],
                }
                for topic_id, partition in places
            ],
        }
        write_deltalake(
            lake.open(ERASURES),
            pa.Table.from_pylist([row], ERASURES.schema),
            mode="overwrite",
            predicate=f"erasure_id = '{self.erasure_id}'",
        )


def erasures(lake: Lake, user_key: str | None = None) -> list[Erasure]:
    """All erasures, or those of one person, in their order.

    Raises:
        deltalake.exceptions.DeltaError: the table cannot be read.
        OSError: likewise.
    """
    rows = lake.open(ERASURES).to_pyarrow_table().sort_by("time").to_pylist() if lake.exists(ERASURES) else []
    return [_erasure(row) for row in rows if user_key in (None, row["user_key"])]


def unfinished(lake: Lake, found: Iterable[Erasure]) -> list[Erasure]:
    """Erasures that a table does not have yet: they were ended by a kill, or the table is an older copy."""
    tables = [lake.open(spec) for spec in ACCOUNTED]
    return [each for each in found if not all(each.is_done(table) for table in tables)]


def _erasure(row: dict[str, Any]) -> Erasure:
    erasure = Erasure(row["erasure_id"], row["time"], row["user_key"], row["reason"], row["erased_by"], True)
    erasure.days = set(row["days"])
    for record in row["records"]:
        place = (record["topic_id"], record["partition"])
        erasure.events[place] = record["events"]
        erasure.copies[place] = record["copies"]
        erasure.rejected[place] = record["rejected"]
    return erasure
