"""The translator on the real Elasticsearch."""

from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from elastic.client import connect
from elastic.settings import ElasticsearchSettings


@pytest.fixture(scope="session")
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """A client of the real server."""
    # Many indices in a row keep a busy machine's cluster state behind now and then.
    with connect(ElasticsearchSettings(url=elasticsearch_url), request_timeout=60) as connected:
        yield connected
