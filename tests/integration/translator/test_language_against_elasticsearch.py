"""The real Elasticsearch finds exactly the documents that a query means, as the reference evaluator decides it.

Mappings, documents and queries are generated, the same in every run: 6 batches of 10 pairs of indices of 12 queries.
The two indices differ, and are searched together by a pattern, a list and an alias in turn.
`python -m tests.fuzz language` asks many more.
"""

from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from tests.support.oracle import compare


@pytest.fixture(scope="module")
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """A client of the real server."""
    # 60 pairs of indices in a row keep a busy machine's cluster state behind now and then.
    with connect(ElasticsearchSettings(url=elasticsearch_url), request_timeout=60) as connected:
        yield connected


@pytest.mark.parametrize("batch", range(6))
def test_elasticsearch_finds_what_the_query_means(client: Elasticsearch, batch: int) -> None:
    compare(client, batch)
