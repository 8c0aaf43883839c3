"""Queries as strangers typed them on mappings of their own, with the answers that they should have had."""

from typing import Any
from uuid import uuid4

import orjson
import pytest
from elasticsearch import Elasticsearch

from tests.support.paths import DATA
from translator.json_lines import translate_line

_ROWS: list[dict[str, Any]] = [
    orjson.loads(line) for line in (DATA / "query-foreign.jsonl").read_bytes().splitlines() if line.strip()
]


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads(
        translate_line(orjson.dumps({"query": row["query"], "mapping": row["mapping"]}))
    )
    return answer


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row["query"][:40])
def test_the_answer_is_the_one_wanted(row: dict[str, Any]) -> None:
    expected, answer = row["expect"], _answer(row)
    if "dsl" in expected:
        assert answer["query"] == expected["dsl"]
    if "dsl_any_of" in expected:
        assert answer["query"] in expected["dsl_any_of"]
    if "notice" in expected:
        assert expected["notice"] in [notice["code"] for notice in answer["notices"]]
    if "error" in expected:
        error = answer["error"]
        assert error["code"] == expected["error"]
        assert all(hint in error["message"] for hint in expected.get("hint", ()))
        assert not any(hint in error["message"] for hint in expected.get("not_hint", ()))
        if "position" in expected:
            assert [error["position"], error["end"]] == expected["position"]
        if "suggestions" in expected:
            assert error["suggestions"][0] == expected["suggestions"]


@pytest.mark.parametrize(
    "row", [row for row in _ROWS if "same_hits_as" in row["expect"]], ids=lambda row: row["query"][:40]
)
def test_the_hits_are_the_ones_wanted(row: dict[str, Any], elasticsearch_url: str) -> None:
    index = f"foreign-{uuid4().hex}"
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.create(index=index, mappings=row["mapping"])
        try:
            for number, document in enumerate(row["expect"]["docs"]):
                client.index(index=index, id=str(number), document=document)
            client.indices.refresh(index=index)
            found = [
                sorted(int(hit["_id"]) for hit in client.search(index=index, query=query)["hits"]["hits"])
                for query in (_answer(row)["query"], row["expect"]["same_hits_as"])
            ]
        finally:
            client.indices.delete(index=index)
    assert found == [row["expect"]["hits"]] * 2
