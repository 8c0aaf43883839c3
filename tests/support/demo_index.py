"""The demo inventory in an index of a test's own, for tests that search and write nothing."""

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from elastic.demo_inventory import devices


def seed(client: Elasticsearch, index: str) -> int:
    """Write the demo inventory to an index, each device under its host name; how many there are."""
    actions = ({"_index": index, "_id": device["Hostname"], "_source": device} for device in devices())
    written, _ = bulk(client, actions, chunk_size=1_000)
    client.indices.refresh(index=index)
    return written
