"""Outbox of the database as the relay works on it: numbers for changes, and the cursor over the published ones.

Why numbers of the relay's: transactions commit in another order than they begin, so a cursor over ``sequence`` would
skip one that commits late. Only what is committed is given a number, by one process, and no number is given twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Max

from gateway.inventory.models import Change, RelayState
from gateway.inventory.relay.lease import Lease

BATCH = 1_000
"""Changes that are numbered, or published, at once."""

_TABLE = Change._meta.db_table
_STATE = RelayState._meta.db_table
_NUMBER = f"""
    UPDATE {_TABLE} SET feed = numbered.feed
    FROM (
        SELECT sequence, %s + ROW_NUMBER() OVER (ORDER BY sequence) AS feed
        FROM (SELECT sequence FROM {_TABLE} WHERE feed IS NULL ORDER BY sequence LIMIT {BATCH}) AS unnumbered
    ) AS numbered
    WHERE {_TABLE}.sequence = numbered.sequence
"""
# Both databases name the columns of VALUES so.
_PLACE = f"""
    UPDATE {_TABLE} SET "partition" = placed.column2, "offset" = placed.column3
    FROM (VALUES {{values}}) AS placed
    WHERE {_TABLE}.feed = placed.column1
"""
_WAITING = f"""
    SELECT EXISTS (SELECT 1 FROM {_TABLE} WHERE feed IS NULL)
        OR EXISTS (SELECT 1 FROM {_TABLE} WHERE feed > (SELECT last_feed FROM {_STATE} WHERE id = 1))
"""


@dataclass(frozen=True, slots=True)
class Published:
    """Place of a published change."""

    feed: int
    partition: int
    offset: int


def is_waiting() -> bool:
    """Whether there are changes to number or to publish."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return bool(cursor.fetchone()[0])


def highest_feed() -> int:
    """The highest number that was given."""
    given = Change.objects.aggregate(highest=Max("feed"))["highest"] or 0
    published = RelayState.objects.values_list("last_feed", flat=True).filter(pk=1).first() or 0
    return max(given, published)


def number(lease: Lease) -> int:
    """Give numbers to changes that have none, in the order of their sequence; ``BATCH`` at most.

    Returns:
        how many there were.

    Raises:
        Superseded: another process leads.
    """
    with transaction.atomic():
        lease.hold()
        with connection.cursor() as cursor:
            cursor.execute(_NUMBER, [highest_feed()])
            return int(cursor.rowcount)


def move_cursor(lease: Lease, published: Iterable[Published]) -> None:
    """Store where changes were published, and move the cursor behind them.

    Args:
        published: consecutive changes behind the cursor.

    Raises:
        Superseded: another process leads, and has stored them or will do so.
    """
    placed = [(each.feed, each.partition, each.offset) for each in published]
    with transaction.atomic():
        lease.hold()
        with connection.cursor() as cursor:
            # Tuples of numbers, written as such: to find three thousand parameters takes longer than the statement.
            cursor.execute(_PLACE.format(values=", ".join(map(str, placed))))
        state = RelayState.objects.get(pk=1)
        state.last_feed = placed[-1][0]
        state.positions |= {str(partition): offset + 1 for _, partition, offset in placed}
        state.save(update_fields=["last_feed", "positions"])
