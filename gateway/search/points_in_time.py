"""Elasticsearch's points in time: an index as it was at one moment, read to any depth with ``search_after``.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-open-point-in-time
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings

from gateway.http.correlation import Correlation
from gateway.http.deadline import time_left
from gateway.http.problems import Code, Problem
from gateway.search.elasticsearch import MAX_RESULT_WINDOW, Page, perform

logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 120
"""How long a point in time outlives its last page."""


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


def open_point_in_time(index: str, correlation: Correlation) -> str:
    """Open one.

    Args:
        index: the index, alias or pattern; part of a path, so the caller has checked it.
        correlation: the request that it is opened for.

    Returns:
        its id, long where the index has many shards.

    Raises:
        Problem: 404, there is no such index.
        Unavailable: Elasticsearch cannot be reached, or cannot search all of the index.
    """
    target = f"/{index}/_pit?keep_alive={KEEP_ALIVE_SECONDS}s&allow_partial_search_results=false"
    point_in_time: str = perform("POST", target, correlation)["id"]
    return point_in_time


def read_point_in_time(  # pylint: disable=too-many-arguments  # a search has as many
    point_in_time: str,
    query: Any,
    *,
    size: int,
    sort: Sequence[Any],
    source: bool | list[str],
    after: list[Any] | None,
    correlation: Correlation,
    exact_count: bool = False,
) -> Slice:
    """Read the documents that come next, and keep the point in time for ``KEEP_ALIVE_SECONDS`` more.

    Args:
        point_in_time: its id.
        query: Elasticsearch Query DSL.
        size: documents to read, at least one.
        sort: Elasticsearch's sort clauses.
        source: what to return of a document.
        after: the sort values of the document before; None at the start.
        correlation: the request that they are read for.
        exact_count: as ``search`` takes it.

    Raises:
        RejectedQuery: the query is too much work.
        Problem: 409, Elasticsearch does not have the point in time any more.
        Unavailable: Elasticsearch cannot be reached, or cannot search all of the index.
    """
    body = {
        "pit": {"id": point_in_time, "keep_alive": f"{KEEP_ALIVE_SECONDS}s"},
        "query": query,
        # One more than asked for shows whether there is more.
        "size": size + 1,
        "track_total_hits": True if exact_count else MAX_RESULT_WINDOW,
        "sort": [*sort, {"_shard_doc": {"order": "asc"}}],
        "_source": source,
        "timeout": f"{time_left(settings.GATEWAY.search_timeout) * 1000:.0f}ms",
    }
    if after is not None:
        body["search_after"] = after
    try:
        answer = perform("POST", "/_search?allow_partial_search_results=false", correlation, body)
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
    )
    return Slice(page, answer["pit_id"], hits[size - 1]["sort"] if len(hits) > size else None)


def close_point_in_time(point_in_time: str, correlation: Correlation) -> None:
    """Close one; if that cannot be done now, it expires by itself."""
    try:
        perform("DELETE", "/_pit", correlation, {"id": point_in_time})
    except Problem as problem:
        logger.info("a point in time is left to expire: %s", problem.detail)
