"""Elasticsearch's points in time: an index as it was at one moment, read to any depth with ``search_after``.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-open-point-in-time
"""

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gateway.http.problems import Code, Problem
from gateway.search.elasticsearch import Page, count_limit, perform, time_limit
from gateway.search.request import SearchPlan

logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 120
"""Seconds that a point in time outlives its last page."""


class ExpiredCursor(Problem):
    """A snapshot is not there any more; the detail says so in the words of ``/search``."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.CONFLICT,
            Code.CURSOR_EXPIRED,
            f"The snapshot is gone: it is kept for {KEEP_ALIVE_SECONDS} seconds after its last use, and closed after "
            'its last page. Start again with "cursor": "start".',
        )


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a point in time.

    Attributes:
        page: the documents.
        point_in_time: the id to go on with.
        after: the sort values of the last document, or None where nothing comes after it.
    """

    page: Page
    point_in_time: str
    after: list[Any] | None


def open_point_in_time(index: str) -> str:
    """Open one.

    Args:
        index: the index, alias or pattern; part of a path, so the caller has checked it.

    Returns:
        its id, long where the index has many shards.

    Raises:
        Problem: 404, there is no such index.
        Unavailable: Elasticsearch cannot be reached, or cannot search all of the index.
    """
    target = f"/{index}/_pit?keep_alive={KEEP_ALIVE_SECONDS}s&allow_partial_search_results=false"
    point_in_time: str = perform("POST", target)["id"]
    return point_in_time


def read_point_in_time(point_in_time: str, plan: SearchPlan, *, size: int, after: list[Any] | None) -> Slice:
    """Read the documents that come next, and keep the point in time for ``KEEP_ALIVE_SECONDS`` more.

    Args:
        point_in_time: its id.
        plan: the search.
        size: documents to read, at least one.
        after: the sort values of the document before; None at the start.

    Raises:
        RejectedQuery: the query is too much work.
        Problem: 409, Elasticsearch does not have the point in time any more.
        Unavailable: Elasticsearch cannot be reached, or cannot search all of the index.
    """
    body = {
        "pit": {"id": point_in_time, "keep_alive": f"{KEEP_ALIVE_SECONDS}s"},
        "query": plan.dsl,
        # One more than asked for shows whether there is more.
        "size": size + 1,
        "track_total_hits": count_limit(plan.request),
        "sort": [*plan.sort, {"_shard_doc": {"order": "asc"}}],
        "_source": plan.source,
        "timeout": time_limit(),
    }
    if after is not None:
        body["search_after"] = after
    try:
        answer = perform("POST", "/_search?allow_partial_search_results=false", body)
    except Problem as problem:
        if problem.status is HTTPStatus.NOT_FOUND:
            raise ExpiredCursor from None
        raise
    hits, total = answer["hits"]["hits"], answer["hits"]["total"]
    page = Page(
        count=total["value"],
        count_relation=total["relation"],
        took_ms=answer["took"],
        results=[hit["_source"] for hit in hits[:size]],
        ids=tuple(hit["_id"] for hit in hits[:size]),
    )
    return Slice(page, answer["pit_id"], hits[size - 1]["sort"] if len(hits) > size else None)


def close_point_in_time(point_in_time: str) -> None:
    """Close one; if that cannot be done now, it expires by itself."""
    try:
        perform("DELETE", "/_pit", {"id": point_in_time})
    except Problem as problem:
        logger.info("a point in time is left to expire: %s", problem.detail)
