"""The account of a lake's offsets, as its tables say (see ``lake.tables``)."""

from collections import Counter

from lake.tables import EVENTS, GAPS, REJECTED, Lake, transaction_id
from tests.support.lake import TOPIC_ID, rows


def places(lake: Lake, topic_id: str = TOPIC_ID) -> Counter[tuple[int, int]]:
    """How often each partition and offset is in the tables: as a row, a copy, rejected or in a gap."""
    found: Counter[tuple[int, int]] = Counter()
    for row in rows(lake).to_pylist():
        found.update(
            (place["partition"], place["offset"])
            for place in (row, *(row["copies"] or []))
            if place["topic_id"] == topic_id
        )
    for row in rows(lake, REJECTED).to_pylist():
        found[(row["partition"], row["offset"])] += row["topic_id"] == topic_id
    for row in rows(lake, GAPS).to_pylist():
        if row["topic_id"] == topic_id:
            found.update((row["partition"], offset) for offset in range(row["first"], row["next"]))
    return found


def assert_account_closes(lake: Lake, partition: int = 0, erased: int = 0, topic_id: str = TOPIC_ID) -> None:
    """Each offset of a partition is in exactly one place, and those that are in none were erased."""
    next_offset = lake.open(EVENTS).transaction_version(transaction_id(topic_id, partition)) or 0
    found = places(lake, topic_id)
    assert max(found.values(), default=1) == 1, "an offset is in two places"
    assert sum(1 for place in found if place[0] == partition) + erased == next_offset
