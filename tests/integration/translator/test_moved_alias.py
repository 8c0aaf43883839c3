"""Another mapping behind a name, as docs/operations/every-day.md says to switch to it."""

from typing import Any

import pytest
import urllib3
from elasticsearch import Elasticsearch

from tests.support.gateway import translator_process
from tests.support.waiting import eventually

_ALIAS = "hosts-that-move"
_OLD, _NEW = f"{_ALIAS}-1", f"{_ALIAS}-2"


@pytest.fixture
def client(client: Elasticsearch) -> Elasticsearch:
    """The client, and two indices whose field is of another type in each; the alias is that of the first."""
    for index, kind in ((_OLD, "keyword"), (_NEW, "text")):
        client.options(ignore_status=404).indices.delete(index=index)
        client.indices.create(index=index, mappings={"properties": {"host": {"type": kind}}})
    client.indices.put_alias(index=_OLD, name=_ALIAS)
    return client


def test_a_name_that_no_field_has_makes_the_translator_read_the_mapping_of_a_moved_alias(
    client: Elasticsearch, elasticsearch_url: str
) -> None:
    with translator_process(elasticsearch_url) as url:

        def translate(query: str) -> Any:
            return urllib3.request("POST", f"{url}/translate", json={"query": query, "index": _ALIAS}).json()

        assert translate("host = h1")["query"] == {"term": {"host": "h1"}}
        client.indices.update_aliases(
            actions=[{"remove": {"index": _OLD, "alias": _ALIAS}}, {"add": {"index": _NEW, "alias": _ALIAS}}]
        )
        assert translate("host = h1")["query"] == {"term": {"host": "h1"}}, "the old mapping, until it is read again"

        def has_read_it() -> bool:
            assert translate("read_the_mapping EXISTS")["code"] == "unknown_field"
            return bool(translate("host = h1")["query"] == {"match_phrase": {"host": "h1"}})

        # At most once a second, as the page says.
        eventually(has_read_it, "the new mapping", 5)
