"""Retention of the audit trail's daily indices: by the cluster's own policy where it has that module, or ``prune``.

Index lifecycle management is a part of the full distribution (https://www.elastic.co/docs/manage-data/lifecycle).

Why: the day in an index's name is its age (``index.lifecycle.parse_origination_date``), as a replay may create last
month's index today. 400 days by default: PCI DSS 4.0 (10.5.1) asks for twelve months, and an audit store without a
limit fills its disk. ``prune`` has no default, because it deletes at once.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from elasticsearch import ApiError, Elasticsearch

POLICY = "query-logs"
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


def has_lifecycles(client: Elasticsearch) -> bool:
    """Whether the cluster manages the life of indices.

    Raises:
        elasticsearch.ApiError: the cluster does not say.
        elasticsearch.TransportError: Elasticsearch cannot be reached.
    """
    try:
        client.ilm.get_status()
    except ApiError as error:
        # No such path: the first is the answer to a GET, the others are what older versions and proxies give.
        if error.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
            return False
        raise
    return True


def install_policy(client: Elasticsearch, keep_days: int) -> None:
    """Install the policy that deletes an index so many days after its own day.

    Raises:
        elasticsearch.ApiError: the cluster refuses it.
        elasticsearch.TransportError: Elasticsearch cannot be reached.
    """
    phases = {"delete": {"min_age": f"{keep_days}d", "actions": {"delete": {}}}}
    client.ilm.put_lifecycle(name=POLICY, policy={"phases": phases})


def with_lifecycle(template: dict[str, Any]) -> dict[str, Any]:
    """The index template with the policy in its settings; an index's age is that of the day in its name."""
    inner = template["template"]
    lifecycle = {"index.lifecycle.name": POLICY, "index.lifecycle.parse_origination_date": True}
    return {**template, "template": {**inner, "settings": {**inner["settings"], **lifecycle}}}
