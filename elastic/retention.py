"""Deletes daily indices of the audit trail that are older than wanted, for clusters that do not do it by themselves."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

from elasticsearch import Elasticsearch

_DAILY = re.compile(r"query-logs-(\d{4}\.\d{2}\.\d{2})")


def day_of(index: str) -> date | None:
    """The day in a daily index's name; None for a name of another form."""
    named = _DAILY.fullmatch(index)
    try:
        return None if named is None else datetime.strptime(named[1], "%Y.%m.%d").date()
    except ValueError:  # such as 30 February
        return None


def prune(client: Elasticsearch, keep_days: int, today: date, record: Callable[[str], None]) -> list[str]:
    """Delete older indices; repeatable.

    Args:
        client: the cluster.
        keep_days: how many days before today's are kept.
        today: the day in UTC, as in the indices' names.
        record: called with the change in words before the first deletion; nothing is deleted if it raises.

    Returns:
        the names of the deleted indices, oldest first.

    Raises:
        elasticsearch.ApiError: the cluster refuses to delete one.
        elasticsearch.TransportError: Elasticsearch cannot be reached.
    """
    oldest_kept = today - timedelta(days=keep_days)
    found = client.indices.get(
        index="query-logs-*", features="settings", expand_wildcards="all", filter_path="*.settings.index.uuid"
    )
    old = sorted(name for name in found if (day := day_of(name)) is not None and day < oldest_kept)
    if old:
        record(f"prune the audit trail: {len(old)} days, {day_of(old[0])} to {day_of(old[-1])}")
    # One by one: the names of many make a line longer than an HTTP request may have.
    for name in old:
        client.indices.delete(index=name, ignore_unavailable=True)
    return old
