"""State of an index as a search sees it: a digest that is another once anything that can be found has changed.

It is made of the sequence numbers of all documents, shard by shard of one index alone, and of how many there are: each
write gives its document a higher one. Elasticsearch keeps the answer until the index changes (its shard request cache),
so that it costs little to ask again. What counts is what a search sees: numbers of the index itself (``_stats``) are
ahead of it until the next refresh, and a change in between would be missed.
"""

from hashlib import sha256

import orjson

from gateway.search.elasticsearch import perform, time_limit

_MAX_INDICES = 10_000
"""Indices behind one name, such as the days of the audit trail."""


def index_state(index: str) -> str:
    """Ask for the state of an index, alias or pattern; part of a path, so the caller has checked it.

    Raises:
        Problem: 404, there is no such index.
        Unavailable: Elasticsearch cannot be reached, or cannot search all of the index.
    """
    body = {
        "size": 0,
        "track_total_hits": True,
        "timeout": time_limit(),
        "aggs": {
            "indices": {
                "terms": {"field": "_index", "size": _MAX_INDICES, "order": {"_key": "asc"}},
                "aggs": {"numbers": {"stats": {"field": "_seq_no"}}},
            }
        },
    }
    answer = perform("POST", f"/{index}/_search?allow_partial_search_results=false&request_cache=true", body)
    seen = [
        (each["key"], each["doc_count"], each["numbers"]["max"], each["numbers"]["sum"])
        for each in answer["aggregations"]["indices"]["buckets"]
    ]
    return sha256(orjson.dumps(seen)).hexdigest()
