"""Progress of indexing, as the indexer tells it."""

from collections.abc import Mapping
from typing import Any

from contracts.inventory_change.progress import INDEX, progress_id

SEARCH = f"/{INDEX}/_mget?filter_path=docs._source"
"""Target of the request for documents; one of them may be missing."""


def request(topic_id: str, partitions: list[int]) -> dict[str, Any]:
    """Body of the request for some partitions."""
    return {"ids": [progress_id(topic_id, partition) for partition in partitions]}


def read(answer: Mapping[str, Any]) -> dict[int, int]:
    """The offsets before which all is indexed, by partition."""
    sources = [each["_source"] for each in answer.get("docs", []) if "_source" in each]
    return {source["partition"]: source["offset"] for source in sources}


def covers(progress: Mapping[int, int], wanted: Mapping[int, int]) -> bool:
    """Whether all is indexed before the wanted offsets."""
    return all(progress.get(partition, 0) >= offset for partition, offset in wanted.items())
