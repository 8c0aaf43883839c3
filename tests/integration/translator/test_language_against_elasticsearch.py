"""The real Elasticsearch finds exactly the documents that a query means, as the reference evaluator decides it.

Mappings, documents and queries are generated, the same in every run: 6 batches of 10 pairs of indices of 12 queries.
The two indices differ, and are searched together by a pattern, a list and an alias in turn.
`python -m tests.fuzz language` asks many more.
"""

import pytest
from elasticsearch import Elasticsearch

from tests.support.oracle import compare


@pytest.mark.parametrize("batch", range(6))
def test_elasticsearch_finds_what_the_query_means(client: Elasticsearch, batch: int) -> None:
    compare(client, batch)
