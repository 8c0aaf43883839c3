r"""A document with half a character in it (``\ud83d`` alone), which Elasticsearch stores and gives back as it is."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from pytest_django import Settings

from tests.support.gateway import Search, elasticsearch_client

CUT = "devices-cut"
READ = {"Hostname": "cut", "Owner": "cut here: \ufffd"}


@pytest.fixture
def _cut(stack: Settings) -> Iterator[None]:
    """An index with such a document."""
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"search_indices": (CUT,)})
    elasticsearch = elasticsearch_client()
    elasticsearch.perform_request(
        "PUT",
        f"/{CUT}/_doc/1?refresh=true",
        headers={"content-type": "application/json", "accept": "application/json"},
        body=rb'{"Hostname": "cut", "Owner": "cut here: \ud83d"}',
    )
    yield
    elasticsearch.indices.delete(index=CUT)


pytestmark = pytest.mark.usefixtures("_cut")


@pytest.mark.parametrize(
    "members",
    [{}, {"cursor": "start"}, {"fields": ["Hostname", "Owner"]}, {"sort": ["-Owner"]}],
    ids=["page", "cursor", "fields", "sort"],
)
def test_it_is_found_with_the_half_replaced(search: Search, members: dict[str, Any]) -> None:
    response = search("Hostname = cut", index=CUT, **members)
    assert (response.status_code, response.json().get("results")) == (200, [READ])


def test_it_is_streamed_with_the_half_replaced(search: Search) -> None:
    response = search("Hostname = cut", index=CUT, headers={"Accept": "application/x-ndjson"})
    assert response.status_code == 200
    lines = b"".join(response.streaming_content).splitlines()
    response.close()
    assert [orjson.loads(line) for line in lines] == [READ]
