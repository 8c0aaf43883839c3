"""Erasure of one person's documents in the audit trail."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import scan, streaming_bulk

ERASURES = "audit-erasures"
"""The index of the accounts of what was erased; nothing deletes them. They do not say whose it was: the reason does."""

_TRAIL = "query-logs-*"
_WILDCARDS = ["open", "hidden"]
_MAX_INDICES = 10_000
_DOCUMENTS_PER_REQUEST = 1_000
_RETRIES = 5


@dataclass(frozen=True, slots=True)
class Person:
    """Subject of an erasure: ``field`` is ``user.name`` or ``source.ip``."""

    field: str
    value: str

    @property
    def query(self) -> dict[str, Any]:
        """Query that finds the subject's documents."""
        return {"term": {self.field: {"value": self.value}}}


class ErasureIncomplete(Exception):
    """Not all could be looked at or erased; the message says what, and what to do."""


def find(client: Elasticsearch, person: Person) -> dict[str, int]:
    """Count a person's documents by daily index.

    Raises:
        ErasureIncomplete: an index is closed, so that nothing can be found in it.
        elasticsearch.ApiError: Elasticsearch refuses, or cannot search all of the trail.
        elasticsearch.TransportError: it cannot be reached.
    """
    closed = client.indices.get(index=_TRAIL, expand_wildcards="closed", filter_path="*.settings.index.uuid")
    if closed:
        raise ErasureIncomplete(f"open these indices first, they are closed: {', '.join(sorted(closed))}")
    client.indices.refresh(index=_TRAIL, expand_wildcards=_WILDCARDS)
    found = client.search(
        index=_TRAIL,
        expand_wildcards=_WILDCARDS,
        allow_partial_search_results=False,
        size=0,
        query=person.query,
        aggs={"indices": {"terms": {"field": "_index", "size": _MAX_INDICES, "order": {"_key": "asc"}}}},
    )
    # Without any index there is no aggregation either.
    buckets = found.get("aggregations", {}).get("indices", {}).get("buckets", [])
    return {bucket["key"]: bucket["doc_count"] for bucket in buckets}


def erase(client: Elasticsearch, person: Person, reason: str, record: Callable[[str], None]) -> int:
    """Delete a person's documents; repeatable. An account, begun before the first is deleted, goes to ``ERASURES``.

    Args:
        client: the cluster.
        person: whose documents.
        reason: why, such as the number of the person's request; it is kept, so it must not name the person.
        record: called with the change in words before the first deletion; nothing is deleted if it raises.

    Returns:
        how many documents were deleted.

    Raises:
        ErasureIncomplete: some are still there; running it again goes on.
        elasticsearch.ApiError, elasticsearch.TransportError, elasticsearch.helpers.ScanError: as ``find``.
    """
    found = find(client, person)
    account = str(uuid.uuid4())
    record(f"erase {sum(found.values())} documents of the audit trail by {person.field}: {reason} (account {account})")
    client.create(
        index=ERASURES,
        id=account,
        document={
            "@timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": {"action": "audit.erased", "outcome": "unknown", "reason": reason},
            "sluice": {"field": person.field, "indices": [*found], "found": sum(found.values()), "deleted": None},
        },
        refresh="wait_for",
    )
    deleted = refused = 0
    why = ""
    for ok, item in streaming_bulk(
        client,
        _deletions(client, person, found),
        chunk_size=_DOCUMENTS_PER_REQUEST,
        max_retries=_RETRIES,
        raise_on_error=False,
    ):
        deleted += ok
        answer = item["delete"]
        if not ok and answer["status"] != HTTPStatus.NOT_FOUND:  # somebody else was faster
            refused += 1
            why = why or f"the first in {answer['_index']}: {answer.get('error', {}).get('reason', answer['status'])}"
    left = sum(find(client, person).values())
    outcome = "failure" if left else "success"
    client.update(index=ERASURES, id=account, doc={"event": {"outcome": outcome}, "sluice": {"deleted": deleted}})
    if refused:
        raise ErasureIncomplete(f"{deleted} deleted, {refused} refused, {why}")
    if left:
        raise ErasureIncomplete(f"{deleted} deleted, and {left} came meanwhile; run it again")
    return deleted


def _deletions(client: Elasticsearch, person: Person, indices: Iterable[str]) -> Iterator[dict[str, Any]]:
    # One by one: a scroll takes a context in each shard, and a node has 500 of them.
    for index in indices:
        query = {"query": person.query, "_source": False}
        for hit in scan(client, index=index, query=query, size=_DOCUMENTS_PER_REQUEST):
            yield {"_op_type": "delete", "_index": index, "_id": hit["_id"]}
